import type { Batch, DeliverableItem, Item, SourceRecord } from '@tidemark/pipeline';

/** A record with sensible values for what a test does not care about. */
export function record(fields: Partial<SourceRecord> = {}): SourceRecord {
  return {
    topic: 'events.main',
    partition: 0,
    offset: 0n,
    timestampMs: Date.UTC(2026, 10, 21),
    key: null,
    value: null,
    headers: [],
    ...fields,
  };
}

/** A batch of consecutive events from an offset on. */
export function batchOf<E>(events: readonly E[], from = 0n, partition = 0): Batch<E> {
  const items: DeliverableItem<E>[] = events.map((event, index) => ({
    record: record({ offset: from + BigInt(index), partition }),
    fate: 'deliver',
    event,
  }));
  return spanning(items, from);
}

export function spanning<E>(items: readonly Item<E>[], from: bigint): Batch<E> {
  const first = items[0];
  const { topic, partition } = first?.record ?? record();
  return { partition: { topic, partition }, items, span: { from, to: from + BigInt(items.length) } };
}
