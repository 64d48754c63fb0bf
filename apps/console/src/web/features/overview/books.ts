import type { LedgerCounts, Pipeline } from '@tidemark/contracts';

/** The ledger of a pipeline over all its partitions. `inFlight` is what was read and has no outcome yet. */
export interface Books extends LedgerCounts {
  readonly inFlight: number;
}

export function booksOf(pipeline: Pipeline): Books {
  const sum = (name: keyof LedgerCounts) =>
    pipeline.partitions.reduce((total, partition) => total + partition.ledger[name], 0);
  const counts: LedgerCounts = {
    read: sum('read'),
    delivered: sum('delivered'),
    duplicate: sum('duplicate'),
    filtered: sum('filtered'),
    deadLettered: sum('deadLettered'),
  };
  const settled = counts.delivered + counts.duplicate + counts.filtered + counts.deadLettered;
  return { ...counts, inFlight: counts.read - settled };
}

/** The books of all pipelines together. */
export function booksOfAll(pipelines: readonly Pipeline[]): Books {
  const empty: Books = { read: 0, delivered: 0, duplicate: 0, filtered: 0, deadLettered: 0, inFlight: 0 };
  return pipelines.map(booksOf).reduce(
    (total, books) => ({
      read: total.read + books.read,
      delivered: total.delivered + books.delivered,
      duplicate: total.duplicate + books.duplicate,
      filtered: total.filtered + books.filtered,
      deadLettered: total.deadLettered + books.deadLettered,
      inFlight: total.inFlight + books.inFlight,
    }),
    empty,
  );
}
