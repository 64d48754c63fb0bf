import { BATCH_HEADER_BYTES, type BatchHeader } from '../storage/record-batch.ts';
import { decodeRecords } from '../storage/records.ts';
import type { Segment } from '../storage/segment.ts';
import { ProtocolError } from '../wire/error-codes.ts';
import type { Partition } from './partition.ts';

/** Special timestamps of ListOffsets (KIP-79, KIP-734, KIP-405, KIP-1005). */
export const offsetSpecs = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
} as const;

export interface FoundOffset {
  readonly offset: number;
  readonly timestamp: number;
}

const NOT_FOUND: FoundOffset = { offset: -1, timestamp: -1 };

/** Answers ListOffsets for one partition: a special position, or the first record at or after a time. */
export async function lookUpOffset(
  partition: Partition,
  timestamp: number,
  committedOnly: boolean,
): Promise<FoundOffset> {
  const end = committedOnly ? partition.lastStableOffset : partition.log.highWatermark;
  switch (timestamp) {
    case offsetSpecs.latest:
      return { offset: end, timestamp: -1 };
    case offsetSpecs.earliest:
    case offsetSpecs.earliestLocal:
      return { offset: partition.log.logStartOffset, timestamp: -1 };
    case offsetSpecs.latestTiered:
      return NOT_FOUND;
    case offsetSpecs.maxTimestamp:
      return firstAtOrAfter(partition, newestTimestamp(partition), end);
    default:
      if (timestamp < 0) throw new ProtocolError('unsupportedVersion');
      return firstAtOrAfter(partition, timestamp, end);
  }
}

function newestTimestamp(partition: Partition): number {
  return Math.max(-1, ...partition.log.segments.map(segment => segment.maxTimestamp));
}

async function firstAtOrAfter(partition: Partition, timestamp: number, end: number): Promise<FoundOffset> {
  if (timestamp < 0) return NOT_FOUND;
  for (const segment of partition.log.segments) {
    if (segment.maxTimestamp < timestamp || segment.nextOffset <= partition.log.logStartOffset) continue;
    const start = await segment.positionOfTime(timestamp);
    for await (const { header, position } of segment.walk(segment.size, false, start)) {
      if (header.maxTimestamp < timestamp || header.lastOffset < partition.log.logStartOffset) continue;
      const found = await firstInBatch(segment, header, position, timestamp, partition.log.logStartOffset);
      if (found) return found.offset < end ? found : NOT_FOUND;
    }
  }
  return NOT_FOUND;
}

async function firstInBatch(
  segment: Segment,
  header: BatchHeader,
  position: number,
  timestamp: number,
  logStartOffset: number,
): Promise<FoundOffset | undefined> {
  const batch = await segment.read(position, header.size);
  if (batch.length < BATCH_HEADER_BYTES) return undefined;
  const records = await decodeRecords(batch);
  return records.find(record => record.timestamp >= timestamp && record.offset >= logStartOffset);
}

/** End of an epoch in the log: the largest epoch not above the asked one, and where the next begins (KIP-101). */
export function endOfEpoch(
  partition: Partition,
  epoch: number,
): { readonly epoch: number; readonly endOffset: number } {
  const epochs = partition.leaderEpochs;
  const at = epochs.findLastIndex(entry => entry.epoch <= epoch);
  const found = epochs[at];
  if (!found || epoch > partition.log.leaderEpoch) return { epoch: -1, endOffset: -1 };
  return { epoch: found.epoch, endOffset: epochs[at + 1]?.startOffset ?? partition.log.nextOffset };
}

/** Rejects clients that know an older or a newer leader than there is (KIP-320); −1 means that they do not care. */
export function checkLeaderEpoch(partition: Partition, claimed: number): void {
  if (claimed === -1) return;
  if (claimed < partition.log.leaderEpoch) throw new ProtocolError('fencedLeaderEpoch');
  if (claimed > partition.log.leaderEpoch) throw new ProtocolError('unknownLeaderEpoch');
}
