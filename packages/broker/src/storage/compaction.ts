import type { LogEnvironment } from './partition-log.ts';
import type { AbortedTxn } from './producer-states.ts';
import {
  type BatchHeader,
  DELETE_HORIZON,
  encodeBatch,
  hasDeleteHorizon,
  isControl,
  isTransactional,
  readBatchHeader,
} from './record-batch.ts';
import { decodeRecords, encodeRecord, type LogRecord } from './records.ts';
import { Segment } from './segment.ts';

/** Keys that one pass keeps in memory; a larger backlog is worked off in several passes. */
const KEYS_MAX = 1_000_000;
const COMPRESSION_MASK = 0x07;

export interface CompactionRules {
  readonly nowMs: number;
  /** How long a tombstone stays after it was first compacted, so that readers see it. */
  readonly deleteRetentionMs: number;
  /** Aborted transactions that touch the range; their records go. */
  readonly aborted: readonly AbortedTxn[];
}

/** The last offset of every key in a range of the log. */
export interface KeyMap {
  readonly lastOffsets: ReadonlyMap<string, number>;
  /** The map covers everything below. */
  readonly endOffset: number;
}

/** Reads the segments and notes the last offset of each key, in whole segments, until the memory limit. */
export async function mapKeys(segments: readonly Segment[], rules: CompactionRules): Promise<KeyMap> {
  const lastOffsets = new Map<string, number>();
  let endOffset = segments[0]?.baseOffset ?? 0;
  for (const segment of segments) {
    if (lastOffsets.size >= KEYS_MAX) break;
    for await (const { header, position } of segment.walk(segment.size, false)) {
      if (isControl(header.attributes)) continue;
      for (const record of await decodeRecords(await segment.read(position, header.size))) {
        if (record.key !== null && !isAborted(header, record, rules)) {
          lastOffsets.set(record.key.toString('latin1'), record.offset);
        }
      }
    }
    endOffset = segment.nextOffset;
  }
  return { lastOffsets, endOffset };
}

/**
 * Rewrites a closed segment without the records that a later one with the same key replaces. Offsets stay as they
 * are. Null when nothing is left. The old file is replaced in one step, so a crash leaves either of them.
 */
export async function compactSegment(
  env: LogEnvironment,
  folder: string,
  old: Segment,
  keys: KeyMap,
  rules: CompactionRules,
): Promise<Segment | null> {
  const beside = `${old.path}.cleaned`;
  const { disk } = env.files;
  await disk.remove(beside);
  const file = await disk.open(beside);
  const rewritten = new Segment(env.files, folder, old.baseOffset);
  try {
    for await (const { header, position } of old.walk(old.size, false)) {
      const kept = await compactBatch(await old.read(position, header.size), header, keys, rules);
      if (!kept) continue;
      await file.write([kept], rewritten.size);
      rewritten.extend(readBatchHeader(kept));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (rewritten.size === 0) {
    await disk.remove(beside);
    await old.remove();
    return null;
  }
  await rewritten.replace(old, beside);
  await rewritten.seal();
  rewritten.forgetIndex();
  return rewritten;
}

async function compactBatch(
  batch: Buffer,
  header: BatchHeader,
  keys: KeyMap,
  rules: CompactionRules,
): Promise<Buffer | null> {
  if (isControl(header.attributes)) return keepsMarker(header, rules) ? batch : null;
  const horizonMs = hasDeleteHorizon(header.attributes) ? header.baseTimestamp : null;
  const records = await decodeRecords(batch);
  const kept = records.filter(record => isKept(record, header, keys, rules, horizonMs));
  if (kept.length === 0) return null;
  const needsHorizon = horizonMs === null && kept.some(record => record.value === null);
  if (kept.length === records.length && !needsHorizon) return batch;
  const baseTimestamp = needsHorizon ? rules.nowMs + rules.deleteRetentionMs : header.baseTimestamp;
  const attributes = (header.attributes & ~COMPRESSION_MASK) | (needsHorizon ? DELETE_HORIZON : 0);
  const body = Buffer.concat(kept.map(record => encodeRecord(record, baseTimestamp)));
  const lastOffsetDelta = header.lastOffset - header.baseOffset;
  return encodeBatch(
    { ...header, attributes, baseTimestamp, lastOffsetDelta, recordCount: kept.length },
    body,
  );
}

/** A marker is of no use once the records of its transaction that were aborted are gone, which the same pass sees to. */
function keepsMarker(header: BatchHeader, rules: CompactionRules): boolean {
  return header.maxTimestamp + rules.deleteRetentionMs >= rules.nowMs;
}

function isKept(
  record: LogRecord,
  header: BatchHeader,
  keys: KeyMap,
  rules: CompactionRules,
  horizonMs: number | null,
): boolean {
  if (record.key === null || isAborted(header, record, rules)) return false;
  const last = keys.lastOffsets.get(record.key.toString('latin1'));
  if (last !== undefined && record.offset < last) return false;
  return record.value !== null || horizonMs === null || rules.nowMs < horizonMs;
}

function isAborted(header: BatchHeader, record: LogRecord, { aborted }: CompactionRules): boolean {
  if (!isTransactional(header.attributes)) return false;
  return aborted.some(
    txn =>
      txn.producerId === header.producerId &&
      record.offset >= txn.firstOffset &&
      record.offset < txn.lastOffset,
  );
}
