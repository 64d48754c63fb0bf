import type { Batch } from './batch.ts';
import { countFates } from './batch.ts';
import { partitionKey, type TopicPartition } from './record.ts';
import type { Receipt } from './sink.ts';

/** What became of the records of a partition. */
export interface LedgerCounts {
  readonly read: number;
  readonly delivered: number;
  readonly duplicate: number;
  readonly filtered: number;
  readonly deadLettered: number;
}

/** The counts that a persisted batch adds. What decoding rejected has been dead-lettered when there is a receipt. */
export function countBatch<E>(batch: Batch<E>, receipt: Receipt): LedgerCounts {
  const fates = countFates(batch);
  const refused = receipt.deadLettered?.size ?? 0;
  return {
    read: batch.items.length,
    delivered: fates.deliver - receipt.duplicates.size - refused,
    duplicate: receipt.duplicates.size,
    filtered: fates.filtered,
    deadLettered: fates.rejected + fates['dead-lettered'] + refused,
  };
}

const noCounts: LedgerCounts = { read: 0, delivered: 0, duplicate: 0, filtered: 0, deadLettered: 0 };

export function addCounts(a: LedgerCounts, b: LedgerCounts): LedgerCounts {
  return {
    read: a.read + b.read,
    delivered: a.delivered + b.delivered,
    duplicate: a.duplicate + b.duplicate,
    filtered: a.filtered + b.filtered,
    deadLettered: a.deadLettered + b.deadLettered,
  };
}

/**
 * The books of a running pipeline. What is taken is counted where records leave the queue, the outcomes where
 * deliveries are acknowledged, and what is in flight by the deliveries themselves: three places that must agree.
 */
export class Ledger {
  #taken = 0;
  #inFlight = 0;
  #counts = noCounts;
  readonly #byPartition = new Map<string, LedgerCounts>();

  /** Since the pipeline started. */
  get counts(): LedgerCounts {
    return this.#counts;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Records that the books cannot place. Anything but 0 is a defect. */
  get unaccounted(): number {
    const { delivered, duplicate, filtered, deadLettered } = this.#counts;
    return this.#taken - delivered - duplicate - filtered - deadLettered - this.#inFlight;
  }

  /** The counts of one partition since the pipeline started. */
  of(partition: TopicPartition): LedgerCounts {
    return this.#byPartition.get(partitionKey(partition)) ?? noCounts;
  }

  take(records: number): void {
    this.#taken += records;
  }

  begin(records: number): void {
    this.#inFlight += records;
  }

  settle(partition: TopicPartition, records: number, added: LedgerCounts): void {
    this.#inFlight -= records;
    this.#counts = addCounts(this.#counts, added);
    this.#byPartition.set(partitionKey(partition), addCounts(this.of(partition), added));
  }

  /** Records given back whole: they will be read again, here or elsewhere. */
  abandon(records: number): void {
    this.#inFlight -= records;
    this.#taken -= records;
  }
}
