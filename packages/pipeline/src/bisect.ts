import type { Clock } from '@tidemark/kernel';
import { type Batch, deliverableItems, splitBatch } from './batch.ts';
import { type DeadLetterPort, deadLetterRejected } from './dead-letter.ts';
import { AttemptsError, asDeliveryError, type DeliveryError } from './delivery-error.ts';
import type { Item, Rejection } from './item.ts';
import { type Receipt, type Sink, wrapDeliver } from './sink.ts';

export interface BisectOptions {
  readonly pipeline: string;
  readonly deadLetters: DeadLetterPort;
  readonly clock: Clock;
  /** A batch took too long and is being cut; the next ones had better be smaller. */
  readonly onOverloaded?: (error: DeliveryError) => void;
}

/**
 * Delivers a failing batch in halves until the culprit stands alone, in ⌈log₂ n⌉ rounds, and dead-letters only that.
 * The halves go one after the other, so order and the chain of positions hold.
 */
export function bisecting<E>(inner: Sink<E>, options: BisectOptions): Sink<E> {
  const deliver: Sink<E>['deliver'] = async (batch, signal) => {
    try {
      return await inner.deliver(batch, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asDeliveryError(thrown);
      if (error.kind === 'fenced' || error.kind === 'down') throw error;
      if (error.kind === 'overloaded') options.onOverloaded?.(error);
      const remaining = deliverableItems(batch).length;
      if (remaining > 1) return deliverHalves(batch, signal);
      if (remaining === 0 || error.kind === 'overloaded') throw error;
      return deadLetter(batch, rejectionOf(error, options.clock.now()), signal);
    }
  };
  /** Stores the culprit as a dead letter, then lets the position pass it. */
  const deadLetter = async (batch: Batch<E>, rejection: Rejection, signal: AbortSignal): Promise<Receipt> => {
    const offsets = deliverableItems(batch).map(item => item.record.offset);
    const rejected = rejectDeliverable(batch, rejection);
    const settled = await deadLetterRejected(rejected, options.pipeline, options.deadLetters, signal);
    const receipt = await deliver(settled, signal);
    return { ...receipt, deadLettered: new Set([...(receipt.deadLettered ?? []), ...offsets]) };
  };
  const deliverHalves = async (batch: Batch<E>, signal: AbortSignal): Promise<Receipt> => {
    const [first, second] = splitBatch(batch);
    const earlier = await deliver(first, signal);
    const later = await deliver(second, signal);
    return mergeReceipts(earlier, later);
  };
  return wrapDeliver(inner, deliver);
}

function rejectDeliverable<E>(batch: Batch<E>, rejection: Rejection): Batch<E> {
  const reject = (item: Item<E>): Item<E> =>
    item.fate === 'deliver' ? { record: item.record, fate: 'rejected', rejection } : item;
  return { ...batch, items: batch.items.map(reject) };
}

function rejectionOf(error: DeliveryError, nowMs: number): Rejection {
  return {
    reason: error.kind === 'permanent' ? 'refused_by_sink' : 'retries_exhausted',
    errorClass: error.errorClass,
    message: error.message,
    attempts: error instanceof AttemptsError ? error.attempts : 1,
    firstFailedAtMs: error instanceof AttemptsError ? error.firstFailedAtMs : nowMs,
    lastFailedAtMs: nowMs,
  };
}

export function mergeReceipts(a: Receipt, b: Receipt): Receipt {
  return {
    duplicates: new Set([...a.duplicates, ...b.duplicates]),
    deadLettered: new Set([...(a.deadLettered ?? []), ...(b.deadLettered ?? [])]),
  };
}
