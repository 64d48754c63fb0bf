import { connect } from 'node:net';
import { TidemarkError } from '@tidemark/kernel';

/**
 * ApiVersions version 0 with the client id left out (Kafka protocol guide, "Requests"): length, api key 18, api
 * version, correlation id, client id -1. The one request that every broker answers, before any authentication.
 */
const apiVersions = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
/** Length, then our correlation id. */
const answerHead = 8;

/** Resolves when one of the brokers speaks Kafka. A probe needs no client library, which would cost 40 MB. */
export async function probeBrokers(brokers: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await Promise.any(brokers.map(broker => probeBroker(broker, signal)));
  } catch (error) {
    const causes = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    throw new TidemarkError('BROKER_UNREACHABLE', `no broker answers at ${brokers.join(', ')}`, {
      cause: causes[0],
    });
  }
}

function probeBroker(broker: string, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(`kafka://${broker}`);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port || 9092),
      signal,
    });
    let answer: Buffer = Buffer.alloc(0);
    socket.once('connect', () => socket.write(apiVersions));
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < answerHead) return;
      if (answer.readInt32BE(4) === 1) resolve();
      else reject(new Error(`what listens on ${broker} is not a Kafka broker`));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${broker} closed the connection`)));
  });
}
