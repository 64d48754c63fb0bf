import type { Batch } from './batch.ts';
import { countFates } from './batch.ts';
import type { Receipt } from './sink.ts';

/** What became of the records of a partition. */
export interface LedgerCounts {
  readonly read: number;
  readonly delivered: number;
  readonly duplicate: number;
  readonly filtered: number;
  readonly deadLettered: number;
}

/** The counts that a persisted batch adds. */
export function countBatch<E>(batch: Batch<E>, receipt: Receipt): LedgerCounts {
  const fates = countFates(batch);
  return {
    read: batch.items.length,
    delivered: fates.deliver - receipt.duplicates.size,
    duplicate: receipt.duplicates.size,
    filtered: fates.filtered,
    deadLettered: fates['dead-lettered'],
  };
}

/**
 * The books of a running pipeline. `taken` is counted where records leave the queue, the outcomes where deliveries
 * are acknowledged, and what is in flight by the deliveries themselves: three places that must agree.
 */
export class Ledger {
  #taken = 0;
  #inFlight = 0;
  #counts: LedgerCounts = { read: 0, delivered: 0, duplicate: 0, filtered: 0, deadLettered: 0 };

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

  take(records: number): void {
    this.#taken += records;
  }

  begin(records: number): void {
    this.#inFlight += records;
  }

  settle(records: number, added: LedgerCounts): void {
    this.#inFlight -= records;
    const { read, delivered, duplicate, filtered, deadLettered } = this.#counts;
    this.#counts = {
      read: read + added.read,
      delivered: delivered + added.delivered,
      duplicate: duplicate + added.duplicate,
      filtered: filtered + added.filtered,
      deadLettered: deadLettered + added.deadLettered,
    };
  }

  /** Records given back whole: they will be read again, here or elsewhere. */
  abandon(records: number): void {
    this.#inFlight -= records;
    this.#taken -= records;
  }
}
