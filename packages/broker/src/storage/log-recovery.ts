import { join } from 'node:path';
import { readCheckedFile, writeCheckedFile } from './checked-file.ts';
import { type LogContent, type LogEnvironment, PartitionLog } from './partition-log.ts';
import { concernsProducer, ProducerStates } from './producer-states.ts';
import { BATCH_HEADER_BYTES, isControl, markerCommits } from './record-batch.ts';
import { offsetFileName, Segment } from './segment.ts';

const CHECKPOINT_FILE = 'checkpoint';
const PRODUCERS_EXTENSION = 'producers';

/** First offset of each leader epoch, oldest first. Always starts with epoch 0 at offset 0. */
export type LeaderEpochs = readonly { readonly epoch: number; readonly startOffset: number }[];

/** Facts about a partition that its batches do not tell. */
export interface Checkpoint {
  readonly logStartOffset: number;
  readonly leaderEpochs: LeaderEpochs;
}

/** A cut that recovery made. Told to the operator: bytes behind it are gone. */
export interface Truncation {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface RecoveredLog {
  readonly log: PartitionLog;
  readonly producers: ProducerStates;
  readonly checkpoint: Checkpoint;
  readonly truncations: readonly Truncation[];
}

const FRESH: Checkpoint = { logStartOffset: 0, leaderEpochs: [{ epoch: 0, startOffset: 0 }] };

/** A partition that has no files yet; they appear with the first append. */
export function emptyLog(env: LogEnvironment, folder: string): RecoveredLog {
  const log = new PartitionLog(env, folder, { segments: [], logStartOffset: 0, leaderEpoch: 0 });
  return { log, producers: new ProducerStates(), checkpoint: FRESH, truncations: [] };
}

/**
 * Opens the log in a folder. After a clean stop the index files are trusted. Otherwise every segment that was not
 * synced and sealed is walked with checksums; the log ends in front of the first bytes that are not an intact batch
 * in order, and what follows is cut off. A cut starts a new leader epoch, so that consumers which already read
 * behind it notice (KIP-320).
 */
export async function recoverLog(
  env: LogEnvironment,
  folder: string,
  cleanStop: boolean,
): Promise<RecoveredLog> {
  const { disk } = env.files;
  const names = await disk.list(folder);
  const saved =
    ((await readCheckedFile(disk, join(folder, CHECKPOINT_FILE))) as Checkpoint | undefined) ?? FRESH;
  const bases = offsetsOf(names, 'log');
  const { segments, truncations } = await recoverSegments(env, folder, bases, cleanStop);
  const endOffset = segments.at(-1)?.nextOffset ?? saved.logStartOffset;
  const checkpoint = afterCuts(saved, truncations, endOffset);
  if (checkpoint !== saved) await writeCheckedFile(disk, join(folder, CHECKPOINT_FILE), checkpoint);
  const content: LogContent = {
    segments,
    logStartOffset: Math.max(checkpoint.logStartOffset, segments[0]?.baseOffset ?? 0),
    leaderEpoch: checkpoint.leaderEpochs.at(-1)?.epoch ?? 0,
  };
  const producers = await recoverProducers(env, folder, offsetsOf(names, PRODUCERS_EXTENSION), segments);
  return { log: new PartitionLog(env, folder, content), producers, checkpoint, truncations };
}

/** Writes the state of the producers as it is at `offset`, and removes older snapshots. */
export async function saveProducers(
  env: LogEnvironment,
  folder: string,
  offset: number,
  dump: unknown,
): Promise<void> {
  const { disk } = env.files;
  await writeCheckedFile(disk, join(folder, offsetFileName(offset, PRODUCERS_EXTENSION)), dump);
  for (const older of offsetsOf(await disk.list(folder), PRODUCERS_EXTENSION)) {
    if (older < offset) await disk.remove(join(folder, offsetFileName(older, PRODUCERS_EXTENSION)));
  }
}

export async function saveCheckpoint(
  env: LogEnvironment,
  folder: string,
  checkpoint: Checkpoint,
): Promise<void> {
  await env.files.disk.makeFolder(folder);
  await writeCheckedFile(env.files.disk, join(folder, CHECKPOINT_FILE), checkpoint);
}

function offsetsOf(names: readonly string[], extension: string): number[] {
  return names
    .filter(name => name.endsWith(`.${extension}`))
    .map(name => Number.parseInt(name, 10))
    .filter(offset => Number.isSafeInteger(offset))
    .toSorted((a, b) => a - b);
}

async function recoverSegments(
  env: LogEnvironment,
  folder: string,
  bases: readonly number[],
  cleanStop: boolean,
): Promise<{ segments: Segment[]; truncations: Truncation[] }> {
  const segments: Segment[] = [];
  const truncations: Truncation[] = [];
  for (const [index, base] of bases.entries()) {
    const segment = new Segment(env.files, folder, base);
    if (truncations.length > 0) {
      truncations.push({ path: segment.path, offset: base, bytes: await segment.fileSize() });
      await segment.remove();
      continue;
    }
    const isLast = index === bases.length - 1;
    const trusted = (cleanStop || !isLast) && (await segment.adoptIndex());
    const cut = trusted ? null : await walkThrough(segment, isLast);
    if (cut) truncations.push(cut);
    segments.push(segment);
    if (!isLast && trusted) segment.forgetIndex();
  }
  return { segments, truncations };
}

/**
 * Rebuilds what is known of a segment from its batches, and cuts off what follows the last intact one. Compaction leaves
 * gaps between offsets, but only in what it sealed: behind that, in the segment that was written to, offsets follow each
 * other. No checksum covers a batch's offset, so this is how a damaged one is found.
 */
async function walkThrough(segment: Segment, isLast: boolean): Promise<Truncation | null> {
  const fileSize = await segment.fileSize();
  const gapsUpTo = isLast ? await segment.sealedSize() : fileSize;
  for await (const { header, position } of segment.walk(fileSize, true)) {
    if (position >= gapsUpTo && header.baseOffset !== segment.nextOffset) break;
    segment.extend(header);
  }
  if (segment.size === fileSize) return null;
  await segment.trim();
  await segment.seal();
  return { path: segment.path, offset: segment.nextOffset, bytes: fileSize - segment.size };
}

function afterCuts(saved: Checkpoint, truncations: readonly Truncation[], endOffset: number): Checkpoint {
  if (truncations.length === 0) return saved;
  const kept = saved.leaderEpochs.filter(({ startOffset }) => startOffset < endOffset || startOffset === 0);
  const epoch = (saved.leaderEpochs.at(-1)?.epoch ?? 0) + 1;
  return {
    logStartOffset: Math.min(saved.logStartOffset, endOffset),
    leaderEpochs: [...kept, { epoch, startOffset: endOffset }],
  };
}

async function recoverProducers(
  env: LogEnvironment,
  folder: string,
  snapshots: readonly number[],
  segments: readonly Segment[],
): Promise<ProducerStates> {
  const producers = new ProducerStates();
  const endOffset = segments.at(-1)?.nextOffset ?? 0;
  const from = await loadSnapshot(env, folder, snapshots, endOffset, producers);
  for (const segment of segments) {
    if (segment.nextOffset <= from) continue;
    const start = await segment.positionOfOffset(Math.max(from, segment.baseOffset));
    for await (const { header, position } of segment.walk(segment.size, false, start)) {
      if (header.baseOffset < from || !concernsProducer(header)) continue;
      const marker = isControl(header.attributes) ? { commit: await commits(segment, position) } : undefined;
      producers.apply(header, marker);
    }
  }
  return producers;
}

async function loadSnapshot(
  env: LogEnvironment,
  folder: string,
  snapshots: readonly number[],
  endOffset: number,
  producers: ProducerStates,
): Promise<number> {
  for (const offset of snapshots.toReversed()) {
    if (offset > endOffset) continue; // of a future that recovery cut off
    const dump = await readCheckedFile(
      env.files.disk,
      join(folder, offsetFileName(offset, PRODUCERS_EXTENSION)),
    );
    if (dump === undefined) continue;
    producers.load(dump);
    return offset;
  }
  return 0;
}

async function commits(segment: Segment, position: number): Promise<boolean> {
  return markerCommits(await segment.read(position, BATCH_HEADER_BYTES + 16));
}
