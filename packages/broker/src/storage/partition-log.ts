import { dirname } from 'node:path';
import { AppendQueue, type QueuedBatch } from './append-queue.ts';
import { type FoundBatches, noBatches, scanBatches, type WantedBatches } from './batch-scan.ts';
import { writeRuns } from './write-runs.ts';
import type { FilePool } from './file-pool.ts';
import { readBatchHeader, stampBatch } from './record-batch.ts';
import { Segment } from './segment.ts';
import { TailCache, type TailCacheBudget } from './tail-cache.ts';

/** When an append is acknowledged: after the write (`os`), the same but synced at an interval, or after a sync. */
export type FsyncPolicy = 'os' | 'interval' | 'group';

/** What all logs of a broker share. */
export interface LogEnvironment {
  readonly files: FilePool;
  readonly cache: TailCacheBudget;
  readonly fsync: FsyncPolicy;
  /** Called after a write under the policy `interval`; the broker syncs the log within the interval. */
  readonly markDirty: (log: PartitionLog) => void;
  /** Where background failures are told, such as a sync that failed. */
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** What recovery found on disk. */
export interface LogContent {
  readonly segments: readonly Segment[];
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
}

/** Least read from a file at once: an index entry every 4 KiB, and a batch behind it that is not large. */
const READ_BYTES_MIN = 16 * 1024;

/**
 * The log of one partition: whole record batches, opaque, in segments. It knows offsets and bytes; producers,
 * transactions and consumers are the partition's business.
 */
export class PartitionLog {
  readonly folder: string;
  readonly #env: LogEnvironment;
  readonly #cache: TailCache;
  readonly #queue: AppendQueue;
  #segments: Segment[];
  #logStartOffset: number;
  #leaderEpoch: number;
  #nextOffset: number;
  #highWatermark: number;
  #folderMade: boolean;
  /** Folders with an entry that a power failure could still take away: a new segment, or the partition's own folder. */
  #unsyncedFolders: readonly string[] = [];
  #needsTrim = false;
  /** Told after each write how many bytes became readable. */
  onAdvanced: (bytes: number) => void = () => {};

  constructor(env: LogEnvironment, folder: string, content: LogContent) {
    this.#env = env;
    this.folder = folder;
    this.#cache = new TailCache(env.cache);
    this.#queue = new AppendQueue(
      group => this.#writeGroup(group),
      () => this.#undoFailedWrite(),
    );
    this.#segments = [...content.segments];
    this.#logStartOffset = content.logStartOffset;
    this.#leaderEpoch = content.leaderEpoch;
    this.#nextOffset = this.#segments.at(-1)?.nextOffset ?? content.logStartOffset;
    this.#highWatermark = this.#nextOffset;
    this.#folderMade = content.segments.length > 0;
  }

  /** The oldest offset a client may read. */
  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  /** The offset that the next record gets. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Everything below is acknowledged and may be read. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  /** Bytes appended but not yet written. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Bytes of the segment that is written to. */
  get activeBytes(): number {
    return this.#segments.at(-1)?.size ?? 0;
  }

  /**
   * Gives the batch its place and queues it. `placed` says where; `written` resolves at the policy's acknowledgement
   * point and rejects when the batch could not be stored, in which case its offsets are given to others.
   */
  append(batch: Buffer): { readonly baseOffset: number; readonly written: Promise<void> } {
    const baseOffset = this.#nextOffset;
    stampBatch(batch, baseOffset, this.#leaderEpoch);
    const header = readBatchHeader(batch);
    this.#nextOffset = header.lastOffset + 1;
    const written = new Promise<void>((resolve, reject) => {
      this.#queue.push({ batch, header, resolve, reject });
    });
    return { baseOffset, written };
  }

  /** Resolves when everything appended so far is written or has failed. */
  drained(): Promise<void> {
    return this.#queue.drained();
  }

  /** The wanted batches, or as many of them as one segment has. The caller has checked the range. */
  async read(wanted: WantedBatches): Promise<FoundBatches> {
    if (wanted.offset >= wanted.bound) return noBatches(wanted.offset);
    return this.#cache.read(wanted) ?? this.#readFile(wanted);
  }

  /** The segment that holds the offset, or the first one behind it. */
  segmentOf(offset: number): Segment | undefined {
    return this.#segments.find(segment => segment.nextOffset > offset);
  }

  /**
   * Starts a new segment. The caller keeps appends away until this resolves; making the old one durable goes on in
   * the background and is what `sealed` waits for.
   */
  async roll(): Promise<{ readonly sealed: Promise<void> }> {
    await this.#queue.drained();
    const old = this.#segments.at(-1);
    if (!old || old.size === 0) return { sealed: Promise.resolve() };
    this.#segments.push(new Segment(this.#env.files, this.folder, this.#nextOffset));
    return { sealed: sealAndForget(old) };
  }

  /** Raises the log start and removes the segments that lie wholly below it, except the one being written to. */
  async advanceStart(offset: number): Promise<void> {
    this.#logStartOffset = Math.max(this.#logStartOffset, offset);
    const removable = this.#segments
      .slice(0, -1)
      .filter(segment => segment.nextOffset <= this.#logStartOffset);
    await this.#removeSegments(removable);
  }

  /** Puts a rewritten segment in the place of the old one; none when nothing of it is left. */
  replaceSegment(old: Segment, rewritten: Segment | null): void {
    this.#cache.clear(); // it may hold what was just compacted away
    this.#segments = this.#segments.flatMap(segment => (segment === old ? (rewritten ?? []) : segment));
  }

  async sync(): Promise<void> {
    const active = this.#segments.at(-1);
    if (active && active.size > 0) await this.#syncSegment(active);
  }

  /** Writes what is queued and the index of the active segment, so that the next start need not walk it. */
  async close(): Promise<void> {
    await this.#queue.drained();
    const active = this.#segments.at(-1);
    try {
      if (active && active.size > 0) await active.seal();
    } finally {
      this.#release();
    }
  }

  /** Forgets everything in memory; the folder is the caller's to remove. */
  abandon(): void {
    for (const segment of this.#segments) void segment.detach();
    this.#release();
    this.#segments = [];
  }

  #release(): void {
    this.#cache.clear();
    for (const segment of this.#segments) void this.#env.files.drop(segment.path);
  }

  async #removeSegments(segments: readonly Segment[]): Promise<void> {
    if (segments.length === 0) return;
    this.#segments = this.#segments.filter(segment => !segments.includes(segment));
    for (const segment of segments) await segment.remove();
  }

  async #writeGroup(group: readonly QueuedBatch[]): Promise<void> {
    const active = await this.#activeSegment();
    const { memory } = this.#env.files;
    const runs = writeRuns(group, memory);
    await active.write(runs.map(run => run.bytes));
    if (this.#env.fsync === 'group') await this.#syncSegment(active);
    for (const { header } of group) active.extend(header);
    for (const { bytes, nextOffset, isJoined } of runs) {
      this.#cache.add(bytes, nextOffset);
      if (isJoined) memory.release(bytes);
    }
    this.#highWatermark = active.nextOffset;
    if (this.#env.fsync === 'interval') this.#env.markDirty(this);
    this.onAdvanced(group.reduce((sum, queued) => sum + queued.batch.length, 0));
  }

  async #activeSegment(): Promise<Segment> {
    if (!this.#folderMade) {
      await this.#env.files.disk.makeFolder(this.folder);
      this.#folderMade = true;
      this.#unsyncedFolders = [dirname(this.folder), dirname(dirname(this.folder))];
    }
    let active = this.#segments.at(-1);
    if (!active) {
      active = new Segment(this.#env.files, this.folder, this.#highWatermark);
      this.#segments.push(active);
    }
    if (active.size === 0) this.#unsyncedFolders = [...new Set([this.folder, ...this.#unsyncedFolders])];
    if (this.#needsTrim) {
      await active.trim();
      this.#needsTrim = false;
    }
    return active;
  }

  /** The content of a new file is safe only when its name is. */
  async #syncSegment(segment: Segment): Promise<void> {
    await segment.sync();
    const folders = this.#unsyncedFolders;
    for (const folder of folders) await this.#env.files.disk.syncFolder(folder);
    if (this.#unsyncedFolders === folders) this.#unsyncedFolders = [];
  }

  /**
   * A failed write may have left whole batches behind that nobody was told about. They must be gone before the next
   * write, or recovery would take them for acknowledged ones.
   */
  async #undoFailedWrite(): Promise<void> {
    this.#nextOffset = this.#highWatermark;
    this.#needsTrim = true;
    const active = this.#segments.at(-1);
    try {
      await active?.trim();
      this.#needsTrim = false;
    } catch (error) {
      this.#env.warn('a failed write could not be cut off yet', { path: active?.path, error });
    }
  }

  async #readFile(wanted: WantedBatches): Promise<FoundBatches> {
    const segment = this.segmentOf(wanted.offset);
    if (!segment) return noBatches(wanted.offset);
    let position = await segment.positionOfOffset(wanted.offset);
    let length = Math.max(wanted.bytesMax, READ_BYTES_MIN);
    for (;;) {
      const { block, release } = await this.#readBlock(
        segment,
        position,
        Math.min(length, segment.size - position),
      );
      const scan = scanBatches(block, wanted);
      const isLast = scan.resume === null || position + scan.resume.at + scan.resume.bytes > segment.size;
      if (scan.bytes > 0) return { ...scan, release };
      release();
      if (isLast) return scan;
      position += scan.resume.at;
      length = Math.max(length, scan.resume.bytes);
    }
  }

  async #readBlock(
    segment: Segment,
    position: number,
    length: number,
  ): Promise<{ readonly block: Buffer; readonly release: () => void }> {
    const { memory } = this.#env.files;
    const lent = memory.take(length);
    const block = await segment.read(position, length, lent);
    let isLent = true;
    const release = () => {
      if (isLent) memory.release(lent);
      isLent = false;
    };
    return { block, release };
  }
}

async function sealAndForget(segment: Segment): Promise<void> {
  await segment.seal();
  segment.forgetIndex();
}
