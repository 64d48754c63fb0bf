import type { Batch } from './batch.ts';
import type { TopicPartition } from './record.ts';
import type { Position } from './source.ts';

/** What a sink says about a batch that it has persisted. */
export interface Receipt {
  /** Offsets of deliverable items whose effect was there before, so that nothing happened now. */
  readonly duplicates: ReadonlySet<bigint>;
  /** Offsets of deliverable items that the layers around the sink dead-lettered instead. A sink leaves it out. */
  readonly deadLettered?: ReadonlySet<bigint>;
}

const noDuplicates: ReadonlySet<bigint> = new Set();
export const everythingNew: Receipt = { duplicates: noDuplicates };

/**
 * Where events take effect. Three methods; retry, circuit breaker, rate limit, instrumentation and the rest are
 * wrappers of the same three, put together in `compose-sink.ts`.
 *
 * For the implementer: batches of one partition arrive one after the other when they carry a span, batches of
 * different partitions at the same time. You need not retry, log, or judge whether the sink as a whole is down beyond
 * throwing a `DeliveryError` of the right kind.
 */
export interface Sink<E> {
  /**
   * True for a sink that stores positions with the effects, and with them what `Batch.parking` says. Parking needs it:
   * only then a key is parked exactly when the event that parks it has been passed.
   */
  readonly keepsPositions?: boolean;
  /**
   * The partition is ours now, and this is where the consumer group stands in it. Resolves with the offset to resume
   * at: a sink that stores positions fences out earlier owners here and answers with its own position, which counts for
   * more than the group's; others answer with the one they were given.
   */
  open(position: Position, signal: AbortSignal): Promise<bigint>;
  /**
   * Persists the effects of all deliverable items, wholly or not at all. Once it resolves they survive a crash. A sink
   * that stores positions persists effects, ids, position and ledger counts in one transaction, and skips what its
   * position says is done already: a batch may come again after an unknown outcome.
   */
  deliver(batch: Batch<E>, signal: AbortSignal): Promise<Receipt>;
  /** The partition is not ours any more; no delivery of it is running. */
  close(partition: TopicPartition): Promise<void>;
}

/** Wraps `deliver` and leaves the other two as they are. */
export function wrapDeliver<E>(inner: Sink<E>, deliver: Sink<E>['deliver']): Sink<E> {
  return {
    open: (position, signal) => inner.open(position, signal),
    deliver,
    close: partition => inner.close(partition),
  };
}
