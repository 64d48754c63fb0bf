import type { LedgerCounts } from '@tidemark/pipeline';

/** What log and sink say of the records of a partition. */
export interface Recount {
  /** Records that the log still has. */
  readonly seen: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly deadLettered: number;
  /**
   * Records with an effect and a dead letter: a crash between the two, or a repeat of an event that had its effect.
   * The books have each under one of the two, and nothing outside them tells which.
   */
  readonly either: number;
  /** Records that may have had their effect so long ago that its id was forgotten, and nothing else shows it. */
  readonly expired: number;
  /**
   * Offsets that the books cover and the log does not show: taken by retention or compaction, or never records at
   * all but markers of transactions.
   */
  readonly gone: number;
}

export const nothingSeen: Recount = {
  seen: 0,
  delivered: 0,
  filtered: 0,
  deadLettered: 0,
  either: 0,
  expired: 0,
  gone: 0,
};

/**
 * Whether the books can be true. Where the log has everything they must agree to the last record; what the log has
 * lost leaves them that much room and no more. A recount sees that an effect is there, not which of several equal
 * events brought it about, so delivered and duplicate count together.
 */
export function agrees(ledger: LedgerCounts, found: Recount): boolean {
  const { gone, either, expired } = found;
  const fits = (booked: number, least: number, room: number) => booked >= least && booked <= least + room;
  return (
    fits(ledger.read, found.seen, gone) &&
    fits(ledger.delivered + ledger.duplicate, found.delivered, gone + either + expired) &&
    fits(ledger.filtered, found.filtered, gone) &&
    fits(ledger.deadLettered, found.deadLettered, gone + either) &&
    ledger.read === ledger.delivered + ledger.duplicate + ledger.filtered + ledger.deadLettered
  );
}
