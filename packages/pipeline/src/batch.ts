import { type DeliverableItem, type Item, isDeliverable } from './item.ts';
import type { ParkingStep } from './parked-key.ts';
import type { TopicPartition } from './record.ts';

/** Half-open range of offsets: `from` is the first one inside, `to` the first one behind. */
export interface OffsetSpan {
  readonly from: bigint;
  readonly to: bigint;
}

/** Items of one partition in log order. */
export interface Batch<E> {
  readonly partition: TopicPartition;
  readonly items: readonly Item<E>[];
  /**
   * Present when the batch is everything between two positions of the partition, delivered in order. A sink that
   * stores positions moves from `from` to `to` with the effects. Absent when keys are delivered out of log order.
   */
  readonly span: OffsetSpan | undefined;
  /** What the batch does to parked keys. A sink that stores positions stores it in the same transaction. */
  readonly parking?: readonly ParkingStep[];
}

export function deliverableItems<E>(batch: Batch<E>): DeliverableItem<E>[] {
  return batch.items.filter(isDeliverable);
}

/** How many items of the batch have each fate. */
export function countFates<E>(batch: Batch<E>): Record<Item<E>['fate'], number> {
  const counts = { deliver: 0, filtered: 0, rejected: 0, 'dead-lettered': 0 };
  for (const item of batch.items) counts[item.fate] += 1;
  return counts;
}

/** Halves a batch so that both parts have something to deliver; their spans meet. Needs two deliverable items. */
export function splitBatch<E>(batch: Batch<E>): [Batch<E>, Batch<E>] {
  const half = Math.floor(deliverableItems(batch).length / 2);
  let seen = 0;
  const cut = batch.items.findIndex(item => isDeliverable(item) && seen++ === half);
  const boundary = batch.items[cut];
  if (half === 0 || boundary === undefined) throw new RangeError('a batch with one event cannot be split');
  const { partition, span, items } = batch;
  const meeting = boundary.record.offset;
  return [
    { partition, items: items.slice(0, cut), span: span && { from: span.from, to: meeting } },
    { partition, items: items.slice(cut), span: span && { from: meeting, to: span.to } },
  ];
}
