import type { AbortedTxn } from '../storage/producer-states.ts';
import { noBatches } from '../storage/batch-scan.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { checkLeaderEpoch, endOfEpoch } from './offset-lookup.ts';
import type { Partition } from './partition.ts';

/** What a consumer wants of one partition. */
export interface PartitionRead {
  readonly partition: Partition | undefined;
  /** The error when there is no such partition. */
  readonly absentCode: number;
  readonly leaderEpoch: number;
  readonly offset: number;
  /** Epoch of the last record the consumer has, to detect that the log was cut (KIP-320); −1 does not ask. */
  readonly lastFetchedEpoch: number;
  readonly bytesMax: number;
}

export interface ReadPlan {
  readonly reads: readonly PartitionRead[];
  /** For all partitions together; the first batch found is returned even when it is larger. */
  readonly bytesMax: number;
  /** Read only what transactions have decided on, and tell which records to skip. */
  readonly committedOnly: boolean;
}

/** The part of a fetch response that belongs to one partition. */
export interface ReadResult {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number } | null;
  readonly abortedTransactions: readonly AbortedTxn[] | null;
  /** Never null: some clients cannot bear that. */
  readonly records: readonly Buffer[];
  /** Gives the memory of the records back; to be called when they were sent, or at once when they are not wanted. */
  readonly release?: (() => void) | undefined;
}

/** What the partitions gave, in the order of the plan. */
export interface ReadOutcome {
  readonly results: readonly ReadResult[];
  readonly bytes: number;
  readonly hasError: boolean;
}

/** Gives back the memory of what was read. */
export function releaseAll(results: readonly ReadResult[]): void {
  for (const result of results) result.release?.();
}

/** Reads the partitions one after another within the byte limits. */
export async function readPartitions(
  plan: ReadPlan,
  codeOf: (error: unknown) => number,
): Promise<ReadOutcome> {
  const results: ReadResult[] = [];
  let bytes = 0;
  let hasError = false;
  for (const read of plan.reads) {
    const bytesMax = Math.min(read.bytesMax, plan.bytesMax - bytes);
    const result = await readOne(
      read,
      { bytesMax, atLeastOne: bytes === 0, committedOnly: plan.committedOnly },
      codeOf,
    );
    for (const run of result.records) bytes += run.length;
    hasError ||= result.errorCode !== errorCodes.none || result.divergingEpoch !== undefined;
    results.push(result);
  }
  return { results, bytes, hasError };
}

interface ReadLimits {
  readonly bytesMax: number;
  readonly atLeastOne: boolean;
  readonly committedOnly: boolean;
}

async function readOne(
  read: PartitionRead,
  limits: ReadLimits,
  codeOf: (error: unknown) => number,
): Promise<ReadResult> {
  const { partition } = read;
  if (!partition || partition.isDeleted) return refusal(read.absentCode);
  try {
    checkLeaderEpoch(partition, read.leaderEpoch);
    const diverging = divergence(partition, read);
    if (diverging) return { ...positions(partition), ...NOTHING, divergingEpoch: diverging };
    if (read.offset < partition.log.logStartOffset || read.offset > partition.log.highWatermark) {
      return { ...positions(partition), ...NOTHING, errorCode: errorCodes.offsetOutOfRange };
    }
    return await readRange(partition, read.offset, limits);
  } catch (error) {
    return refusal(codeOf(error));
  }
}

async function readRange(partition: Partition, offset: number, limits: ReadLimits): Promise<ReadResult> {
  const before = positions(partition);
  const bound = limits.committedOnly ? before.lastStableOffset : before.highWatermark;
  const { bytesMax, atLeastOne } = limits;
  const mayRead = bytesMax > 0 || atLeastOne;
  const found = mayRead
    ? await partition.log.read({ offset, bound, bytesMax, atLeastOne })
    : noBatches(offset);
  const abortedTransactions = limits.committedOnly
    ? partition.abortedBetween(offset, found.nextOffset)
    : null;
  const { buffers: records, release } = found;
  return { ...before, errorCode: errorCodes.none, abortedTransactions, records, release };
}

/** Where the consumer's log parted from this one, or undefined when it did not. */
function divergence(
  partition: Partition,
  read: PartitionRead,
): { epoch: number; endOffset: number } | undefined {
  if (read.lastFetchedEpoch === -1) return undefined;
  const end = endOfEpoch(partition, read.lastFetchedEpoch);
  const isSame = end.epoch === read.lastFetchedEpoch && end.endOffset >= read.offset;
  return isSame ? undefined : end;
}

const NOTHING = { errorCode: errorCodes.none as number, abortedTransactions: null, records: [] };

function positions(partition: Partition) {
  return {
    highWatermark: partition.log.highWatermark,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: partition.log.logStartOffset,
  };
}

function refusal(errorCode: number): ReadResult {
  return { ...NOTHING, errorCode, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 };
}
