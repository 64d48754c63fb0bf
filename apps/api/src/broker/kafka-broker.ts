import { backoffDelayMs, type Clock, describeError } from '@tidemark/kernel';
import { ApiError } from '../http/api-error.ts';
import { probeBrokers } from './broker-probe.ts';
import type { EventBroker, OutgoingEvent } from './event-broker.ts';
import { createEndOffsetReader } from './kafka-end-offsets.ts';

export interface KafkaBrokerOptions {
  readonly brokers: readonly string[];
  /** How long an event may wait for its acknowledgement, milliseconds. */
  readonly produceTimeoutMs: number;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly random: () => number;
}

type Connectors = typeof import('@tidemark/connectors');
type Sender = ReturnType<Connectors['createMessageSender']>;

const retry = { baseMs: 100, capMs: 1000 };
const clientId = 'tidemark-api';

/** A Kafka broker. The client library is loaded when the first event is written, because many stacks only look. */
export function createKafkaBroker(options: KafkaBrokerOptions): EventBroker {
  const { brokers, clock, random } = options;
  const connection = { brokers, clientId };
  const existing = new Set<string>();
  let sender: Sender | undefined;
  const ends = createEndOffsetReader(brokers, clientId);

  async function sendOnce(event: OutgoingEvent): Promise<void> {
    const { createMessageSender, ensureTopics } = await import('@tidemark/connectors');
    if (!existing.has(event.topic)) {
      await ensureTopics(connection, [event.topic]);
      existing.add(event.topic);
    }
    sender ??= createMessageSender(connection);
    await sender.send([toRecord(event)]);
  }

  /** Repeats are harmless: an event keeps its id, and consumers take each id once. */
  async function sendUntil(signal: AbortSignal, event: OutgoingEvent): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await sendOnce(event);
      } catch (error) {
        existing.delete(event.topic);
        if (signal.aborted) throw error;
        await clock.sleep(backoffDelayMs(retry, attempt, random), signal).catch(() => {
          throw error;
        });
      }
    }
  }

  function abandonSender(): void {
    const abandoned = sender;
    sender = undefined;
    abandoned?.close().catch(() => {});
  }

  return {
    async publish(event) {
      const overdue = new AbortController();
      const sending = sendUntil(overdue.signal, event);
      const deadline = clock.sleep(options.produceTimeoutMs, overdue.signal).then(() => {
        throw new Error(`no acknowledgement within ${options.produceTimeoutMs} ms`);
      });
      try {
        await Promise.race([sending, deadline]);
      } catch (error) {
        abandonSender();
        throw unavailable(error);
      } finally {
        overdue.abort();
        for (const loser of [sending, deadline]) loser.catch(() => {});
      }
    },
    endOffsets: topics => ends.read(topics),
    check: signal => probeBrokers(brokers, signal),
    async close() {
      await Promise.allSettled([sender?.close(), ends.close()]);
    },
  };
}

function toRecord({ topic, key, value, headers }: OutgoingEvent) {
  return {
    topic,
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
  };
}

function unavailable(error: unknown): ApiError {
  return new ApiError(503, 'BROKER_UNAVAILABLE', 'the broker did not acknowledge the event in time', {
    cause: error,
    hint: 'Try again in a moment. The event may still arrive; look at the list before you repeat it.',
    retryAfterSec: 2,
    facts: { reason: describeError(error) },
  });
}
