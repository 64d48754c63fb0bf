import { compactSegment, mapKeys } from '../storage/compaction.ts';
import type { LogEnvironment } from '../storage/partition-log.ts';
import type { Segment } from '../storage/segment.ts';
import type { Partition } from './partition.ts';
import type { Topic } from './topic-registry.ts';

/** Producers that were silent for this long are forgotten (`producer.id.expiration.ms`, Kafka's default of one day). */
const PRODUCER_IDLE_MS = 24 * 60 * 60_000;

/** Applies a topic's retention and compaction to its partitions. */
export async function keepUp(env: LogEnvironment, topic: Topic, nowMs: number): Promise<void> {
  for (const partition of topic.partitions) {
    if (partition.isDeleted) return;
    partition.producers.prune(partition.log.logStartOffset, nowMs - PRODUCER_IDLE_MS);
    if (topic.settings.deletes) await applyRetention(partition, topic, nowMs);
    if (topic.settings.compacts) await compact(env, partition, topic, nowMs);
  }
}

/** Deletes the oldest segments while they are too old or the log is too large. */
async function applyRetention(partition: Partition, { settings }: Topic, nowMs: number): Promise<void> {
  const { log } = partition;
  const isExpired = (segment: Segment) =>
    settings.retentionMs >= 0 && segment.size > 0 && segment.maxTimestamp < nowMs - settings.retentionMs;
  const active = log.segments.at(-1);
  if (active && log.segments.every(isExpired)) await partition.roll();
  let excessBytes = settings.retentionBytes < 0 ? 0 : log.sizeBytes - settings.retentionBytes;
  let startOffset = log.logStartOffset;
  for (const segment of log.segments.slice(0, -1)) {
    const isExcess = settings.retentionBytes >= 0 && excessBytes >= segment.size;
    if (!isExpired(segment) && !isExcess) break;
    excessBytes -= segment.size;
    startOffset = segment.nextOffset;
  }
  if (startOffset > log.logStartOffset) await partition.deleteRecords(startOffset);
}

/** Compacts the closed segments when enough of them was never compacted. */
async function compact(
  env: LogEnvironment,
  partition: Partition,
  { settings }: Topic,
  nowMs: number,
): Promise<void> {
  // Until the active segment has a file, a crash would make the last closed one active, where offsets have no gaps.
  if (partition.log.activeBytes === 0) return;
  const closed = partition.log.segments
    .slice(0, -1)
    .filter(segment => segment.nextOffset <= partition.lastStableOffset)
    .filter(segment => segment.maxTimestamp <= nowMs - settings.minCompactionLagMs);
  const dirty = closed.filter(segment => segment.baseOffset >= partition.compactedBelow);
  const bytesOf = (segments: readonly Segment[]) => segments.reduce((sum, segment) => sum + segment.size, 0);
  if (dirty.length === 0 || bytesOf(dirty) < bytesOf(closed) * settings.minCleanableRatio) return;
  const aborted = partition.abortedBetween(0, partition.log.nextOffset);
  const rules = { nowMs, deleteRetentionMs: settings.deleteRetentionMs, aborted };
  const keys = await mapKeys(dirty, rules);
  for (const segment of closed.filter(one => one.nextOffset <= keys.endOffset)) {
    if (partition.isDeleted) return;
    const rewritten = await compactSegment(env, partition.log.folder, segment, keys, rules);
    partition.log.replaceSegment(segment, rewritten);
  }
  partition.compactedBelow = keys.endOffset;
}
