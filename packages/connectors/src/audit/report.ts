import type { LedgerCounts, TopicPartition } from '@tidemark/pipeline';
import type { Recount } from './recount.ts';

/** An offset whose fate cannot be shown. */
export interface Doubt extends TopicPartition {
  readonly offset: bigint;
  readonly why: string;
}

/** What a recount of one partition found. */
export interface PartitionAudit extends TopicPartition {
  /** Where the books begin. */
  readonly from: bigint;
  /** Every offset below was to be accounted for. */
  readonly position: bigint;
  /** Offsets below are gone from the log, so only their counts in the ledger remain. */
  readonly logStart: bigint;
  /** What log and sink say. */
  readonly recounted: Recount;
  /** What the books say. */
  readonly ledger: LedgerCounts;
  /** At most {@link doubtsMax}; none when the books balance. */
  readonly doubts: readonly Doubt[];
  /** How many there are in all. */
  readonly doubtful: number;
  readonly balanced: boolean;
}

export interface AuditReport {
  readonly pipeline: string;
  readonly partitions: readonly PartitionAudit[];
  readonly balanced: boolean;
}

/** Doubts that are listed for one partition. */
export const doubtsMax = 100;
