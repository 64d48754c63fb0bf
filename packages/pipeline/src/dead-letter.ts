import { type BackoffPolicy, backoffDelayMs, type Clock } from '@tidemark/kernel';
import type { Batch } from './batch.ts';
import type { Item, Rejection } from './item.ts';
import type { SourceRecord } from './record.ts';
import { type Sink, wrapDeliver } from './sink.ts';

/** An event that cannot take effect, with everything needed to understand, mend and replay it. */
export interface DeadLetter {
  readonly pipeline: string;
  /** The original record; key, value and headers stay untouched. */
  readonly record: SourceRecord;
  readonly rejection: Rejection;
}

/** Where dead letters go. Resolves when all of them are stored durably; only then may a position pass them. */
export type DeadLetterPort = (letters: readonly DeadLetter[], signal: AbortSignal) => Promise<void>;

export interface PersistenceOptions {
  readonly backoff: BackoffPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onFailure?: (error: unknown) => void;
}

/** Tries until the letters are stored or the signal aborts: an event is never given up because its dead letter failed. */
export function persistently(port: DeadLetterPort, options: PersistenceOptions): DeadLetterPort {
  return async (letters, signal) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await port(letters, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        options.onFailure?.(error);
        await options.clock.sleep(backoffDelayMs(options.backoff, attempt, options.random), signal);
      }
    }
  };
}

/** Stores the rejected items of a batch as dead letters and returns the batch with their new fate. */
export async function deadLetterRejected<E>(
  batch: Batch<E>,
  pipeline: string,
  port: DeadLetterPort,
  signal: AbortSignal,
): Promise<Batch<E>> {
  const letters = batch.items.flatMap(item =>
    item.fate === 'rejected' ? [{ pipeline, record: item.record, rejection: item.rejection }] : [],
  );
  if (letters.length === 0) return batch;
  await port(letters, signal);
  const settle = (item: Item<E>): Item<E> =>
    item.fate === 'rejected' ? { ...item, fate: 'dead-lettered' } : item;
  return { ...batch, items: batch.items.map(settle) };
}

/** Dead-letters what decoding rejected before the rest of the batch goes on. */
export function deadLettering<E>(inner: Sink<E>, pipeline: string, port: DeadLetterPort): Sink<E> {
  return wrapDeliver(inner, async (batch, signal) =>
    inner.deliver(await deadLetterRejected(batch, pipeline, port, signal), signal),
  );
}
