import type { DeadLetterDesk } from '@tidemark/connectors';
import { type Clock, describeError, errorCode } from '@tidemark/kernel';
import { ApiError } from '../http/api-error.ts';

export interface DeskOptions {
  readonly databaseUrl: string;
  readonly brokers: readonly string[];
  readonly clock: Clock;
  /** How long the broker may take to acknowledge what is sent back. */
  readonly produceTimeoutMs: number;
  readonly onConnectionLost: (error: unknown) => void;
}

/** The desk where dead letters are dealt with, opened when somebody comes. */
export interface Desk {
  /** Works at the desk; what it throws is an answer to the client. */
  use<T>(work: (desk: DeadLetterDesk) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Two people at the desk at a time are plenty; the others wait a moment. */
const connections = 2;

/** The client library costs 40 MB, and most stacks have no dead letters to look at: it is loaded on first use. */
export function createDesk(options: DeskOptions): Desk {
  let opened: ReturnType<typeof open> | undefined;
  return {
    async use(work) {
      opened ??= open(options);
      const used = opened;
      const bench = await used;
      try {
        return await work(bench.desk);
      } catch (error) {
        const answer = toApiError(error);
        if (answer instanceof ApiError && answer.code === brokerUnavailable && opened === used) {
          // What hangs in the client must not come out later; the next one who comes gets another.
          opened = undefined;
          void bench.close();
        }
        throw answer;
      }
    },
    async close() {
      const bench = await opened;
      await bench?.close();
    },
  };
}

async function open(options: DeskOptions) {
  const { databaseUrl, brokers, clock, produceTimeoutMs, onConnectionLost } = options;
  const { createMessageSender, createPool, DeadLetterDesk } = await import('@tidemark/connectors');
  const pool = createPool({
    databaseUrl,
    applicationName: 'tidemark-api-dead-letters',
    connections,
    onLost: onConnectionLost,
  });
  const sender = createMessageSender({ brokers, clientId: 'tidemark-api-dead-letters' });
  return {
    desk: new DeadLetterDesk(pool, sender, clock, produceTimeoutMs),
    async close() {
      await Promise.allSettled([sender.close(), pool.end()]);
    },
  };
}

const brokerUnavailable = 'BROKER_UNAVAILABLE';

/** Codes that the Kafka client gives to everything that it cannot do. */
const kafkaCode = /^PLT_KFK_/;

const statusOf: Readonly<Record<string, number>> = { DEAD_LETTER_UNKNOWN: 404, DEAD_LETTER_CLOSED: 409 };

function toApiError(error: unknown): unknown {
  const code = errorCode(error) ?? '';
  const status = statusOf[code];
  if (status !== undefined && error instanceof Error) return new ApiError(status, code, error.message);
  if (!kafkaCode.test(code) && code !== brokerUnavailable) return error;
  return new ApiError(503, brokerUnavailable, 'the broker did not take the events', {
    cause: error,
    hint: 'Try again in a moment; what was not sent is still open.',
    retryAfterSec: 2,
    facts: { reason: describeError(error) },
  });
}
