import type { JournalEntry } from '../storage/journal.ts';

/** States of KIP-98. Prepare* are decided but not yet written everywhere; Complete* are over. */
export type TxnStatus =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort';

export interface TxnPartition {
  readonly topic: string;
  readonly index: number;
}

/** What the coordinator knows of one transactional id. Values are replaced, never changed. */
export interface Transaction {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** The epoch that the producer had and named when it asked for this one; −1 when it named none. */
  readonly lastProducerEpoch?: number;
  readonly timeoutMs: number;
  readonly status: TxnStatus;
  readonly partitions: readonly TxnPartition[];
  /** Groups whose offsets are part of the transaction. */
  readonly groups: readonly string[];
  /** Wall clock of the first partition or group of the transaction that is open. */
  readonly startedAtMs: number;
  readonly changedAtMs: number;
}

export interface TransactionEntry extends JournalEntry {
  readonly kind: 'transaction';
  readonly transaction: Transaction;
}

export const isPrepared = (txn: Transaction): boolean =>
  txn.status === 'PrepareCommit' || txn.status === 'PrepareAbort';

export const includesPartition = (txn: Transaction, topic: string, index: number): boolean =>
  txn.partitions.some(partition => partition.topic === topic && partition.index === index);

/** The producer's request for a new epoch was granted, but it did not hear of it and asks again (KIP-360). */
export const isRepeated = (
  request: { readonly producerId: number; readonly producerEpoch: number },
  known: Transaction,
): boolean =>
  request.producerId === known.producerId &&
  request.producerEpoch >= 0 &&
  request.producerEpoch === known.lastProducerEpoch &&
  known.status === 'Empty';

export const openPartitions = (txn: Transaction): readonly TxnPartition[] =>
  txn.status === 'Ongoing' ? txn.partitions : [];
