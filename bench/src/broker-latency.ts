import { connect } from 'node:net';
import { systemClock } from '@tidemark/kernel';
import { produceError, produceFrame, recordBatch } from './broker-frames.ts';
import { makeTopic, type Side, type SideName, sideNames } from './broker-side.ts';
import { round } from './broker-throughput.ts';
import { quantile, type Spread, spread } from './report.ts';

const messageBytes = 1000;
/** Not counted: the Java machine and V8 compile what they run often. */
const warmUpSeconds = 2;

export interface Latency {
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
}

/**
 * Single messages at a steady rate over one connection, from the moment at which each was due to its acknowledgement:
 * whoever is late with one also pays for those that wait behind it.
 */
export async function measureLatency(
  sides: Readonly<Record<SideName, Side>>,
  ratePerSec: number,
  { runs, seconds }: { readonly runs: number; readonly seconds: number },
): Promise<Readonly<Record<SideName, Latency>>> {
  const quantiles = { tidemark: emptyLists(), kafka: emptyLists() };
  for (let run = 0; run < runs; run += 1) {
    for (const name of run % 2 === 0 ? sideNames : sideNames.toReversed()) {
      const delays = (
        await produceAt(sides[name], `latency-${ratePerSec}-${run}`, ratePerSec, seconds)
      ).toSorted((a, b) => a - b);
      quantiles[name].p50.push(round(quantile(delays, 0.5), 3));
      quantiles[name].p99.push(round(quantile(delays, 0.99), 3));
    }
  }
  const summary = ({ p50, p99 }: Lists) => ({ p50Ms: spread(p50), p99Ms: spread(p99) });
  return { tidemark: summary(quantiles.tidemark), kafka: summary(quantiles.kafka) };
}

interface Lists {
  readonly p50: number[];
  readonly p99: number[];
}

const emptyLists = (): Lists => ({ p50: [], p99: [] });

async function produceAt(side: Side, topic: string, ratePerSec: number, seconds: number): Promise<number[]> {
  const remove = await makeTopic(side, topic, 1);
  const frame = produceFrame(topic, 0, recordBatch(messageBytes, 1));
  const answerBytes = 4 + 4 + 4 + 2 + topic.length + 4 + 4 + 2 + 3 * 8 + 4 + 2 + 4; // Produce version 8, no errors
  const socket = connect({ port: side.port, host: '127.0.0.1', noDelay: true });
  const total = ratePerSec * (warmUpSeconds + seconds);
  const dueMs: number[] = [];
  const delays: number[] = [];
  const allAnswered = Promise.withResolvers<void>();
  let received = Buffer.alloc(0);
  socket.on('error', allAnswered.reject);
  socket.on('data', piece => {
    received = Buffer.concat([received, piece]);
    for (; received.length >= answerBytes; received = received.subarray(answerBytes)) {
      if (produceError(received, topic) !== 0) allAnswered.reject(new Error('Produce was refused'));
      delays.push(performance.now() - (dueMs[delays.length] ?? 0));
    }
    if (delays.length === total) allAnswered.resolve();
  });
  try {
    const begunMs = performance.now();
    while (dueMs.length < total) {
      const nextMs = begunMs + (dueMs.length * 1000) / ratePerSec;
      if (nextMs > performance.now()) await systemClock.sleep(nextMs - performance.now());
      else {
        dueMs.push(nextMs);
        socket.write(frame);
      }
    }
    await allAnswered.promise;
    return delays.slice(ratePerSec * warmUpSeconds);
  } finally {
    socket.destroy();
    await remove();
  }
}
