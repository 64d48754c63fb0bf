import { join } from 'node:path';
import type { FilePool } from './file-pool.ts';
import { BATCH_HEADER_BYTES, type BatchHeader, isIntactBatch, readBatchHeader } from './record-batch.ts';
import { SegmentIndex } from './segment-index.ts';

const WALK_BYTES = 1024 * 1024;

/** File name of what begins at an offset, in Kafka's way: twenty digits, so that names sort like numbers. */
export function offsetFileName(offset: number, extension: string): string {
  return `${String(offset).padStart(20, '0')}.${extension}`;
}

/** A batch found while walking through a segment. */
export interface WalkedBatch {
  readonly header: BatchHeader;
  readonly position: number;
}

/**
 * A stretch of a partition's log in one file: `<base offset>.log`, whole batches one after another. Beside it lies
 * `<base offset>.index` once the data in front of it was synced; a segment without a valid index file is walked.
 */
export class Segment {
  readonly baseOffset: number;
  readonly path: string;
  readonly indexPath: string;
  readonly #pool: FilePool;
  #index: SegmentIndex | null;
  #size = 0;
  #nextOffset: number;
  #maxTimestamp = -1;
  #removed = false;

  constructor(pool: FilePool, folder: string, baseOffset: number) {
    this.#pool = pool;
    this.baseOffset = baseOffset;
    this.#nextOffset = baseOffset;
    this.path = join(folder, offsetFileName(baseOffset, 'log'));
    this.indexPath = join(folder, offsetFileName(baseOffset, 'index'));
    this.#index = new SegmentIndex();
  }

  /** Bytes of whole batches; the file may be longer after a failed write. */
  get size(): number {
    return this.#size;
  }

  /** The offset behind the last record. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** Writes batches at the end. What they are is told by `extend` afterwards: a failed write leaves no trace here. */
  async write(batches: readonly Buffer[]): Promise<void> {
    await this.#pool.use(this.path, file => file.write(batches, this.#size));
  }

  /** Takes note of a batch that now stands at the end of the file. */
  extend(header: BatchHeader): void {
    this.#index?.add(header.baseOffset - this.baseOffset, this.#size, this.#maxTimestamp);
    this.#size += header.size;
    this.#nextOffset = header.lastOffset + 1;
    this.#maxTimestamp = Math.max(this.#maxTimestamp, header.maxTimestamp);
  }

  /** Empty once the segment was removed: whoever still reads it finds that its offsets are gone. */
  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    if (this.#removed) return Buffer.alloc(0);
    return this.#pool.use(this.path, file => file.read(position, length, into));
  }

  sync(): Promise<void> {
    return this.#pool.use(this.path, file => file.sync());
  }

  /** Cuts off what a failed or torn write left behind the last whole batch. */
  trim(): Promise<void> {
    return this.#pool.use(this.path, file => file.truncate(this.#size));
  }

  fileSize(): Promise<number> {
    return this.#pool.use(this.path, file => file.size());
  }

  async positionOfOffset(offset: number): Promise<number> {
    return (await this.#loadedIndex()).atOffset(offset - this.baseOffset).position;
  }

  async positionOfTime(timestamp: number): Promise<number> {
    return (await this.#loadedIndex()).atTime(timestamp).position;
  }

  /** Makes the data durable, then says so by writing the index beside it. */
  async seal(): Promise<void> {
    const index = await this.#loadedIndex();
    const extent = { size: this.#size, nextOffset: this.#nextOffset, maxTimestamp: this.#maxTimestamp };
    await this.sync();
    const file = await this.#pool.disk.open(this.indexPath);
    try {
      await file.truncate(0);
      await file.write([index.encode(extent)], 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Frees the index of a segment that is only read from now on; the next reader loads it again. */
  forgetIndex(): void {
    this.#index = null;
  }

  /** Adopts a valid index file instead of walking. False when there is none that fits the file. */
  async adoptIndex(): Promise<boolean> {
    const decoded = SegmentIndex.decode(await this.#pool.disk.readWhole(this.indexPath));
    if (!decoded || decoded.extent.size !== (await this.fileSize())) return false;
    this.#index = decoded.index;
    this.#size = decoded.extent.size;
    this.#nextOffset = decoded.extent.nextOffset;
    this.#maxTimestamp = decoded.extent.maxTimestamp;
    return true;
  }

  /** Bytes that were intact and durable when the index file was written; 0 when there is none that fits the file. */
  async sealedSize(): Promise<number> {
    const decoded = SegmentIndex.decode(await this.#pool.disk.readWhole(this.indexPath));
    return decoded && decoded.extent.size <= (await this.fileSize()) ? decoded.extent.size : 0;
  }

  /**
   * Walks through the batches of the file up to `end`, stopping without an error at the first bytes that are not a
   * whole batch in order. With `verify` the checksum of each is computed.
   */
  async *walk(end: number, verify: boolean, from = 0): AsyncGenerator<WalkedBatch> {
    let position = from;
    let expected = this.baseOffset;
    while (position + BATCH_HEADER_BYTES <= end) {
      const block = await this.read(position, Math.min(WALK_BYTES, end - position));
      let at = 0;
      while (at + BATCH_HEADER_BYTES <= block.length) {
        const header = readBatchHeader(block, at);
        if (!isPlausible(header, expected) || position + at + header.size > end) return;
        const whole = at + header.size <= block.length;
        if (verify && !whole && at > 0) break; // read it again from its own start
        if (verify && !isIntactBatch(await this.#wholeBatch(block, at, position, header.size))) return;
        yield { header, position: position + at };
        expected = header.lastOffset + 1;
        at += header.size;
      }
      if (at === 0) return;
      position += at;
    }
  }

  /** Reads give nothing from now on; the file is somebody else's to remove. */
  async detach(): Promise<void> {
    this.#removed = true;
    await this.#pool.drop(this.path);
  }

  /** Takes the place of the segment whose rewritten content lies in `rewritten`. */
  async replace(old: Segment, rewritten: string): Promise<void> {
    await old.detach();
    await this.#pool.disk.remove(this.indexPath);
    await this.#pool.disk.rename(rewritten, this.path);
  }

  async remove(): Promise<void> {
    void this.detach();
    await this.#pool.disk.remove(this.indexPath);
    await this.#pool.disk.remove(this.path);
  }

  async #wholeBatch(block: Buffer, at: number, position: number, size: number): Promise<Buffer> {
    return at + size <= block.length ? block.subarray(at, at + size) : this.read(position + at, size);
  }

  async #loadedIndex(): Promise<SegmentIndex> {
    if (this.#index) return this.#index;
    const decoded = SegmentIndex.decode(await this.#pool.disk.readWhole(this.indexPath));
    this.#index = decoded?.index ?? (await this.#rebuiltIndex());
    return this.#index;
  }

  async #rebuiltIndex(): Promise<SegmentIndex> {
    const index = new SegmentIndex();
    let maxTimestamp = -1;
    for await (const { header, position } of this.walk(this.#size, false)) {
      index.add(header.baseOffset - this.baseOffset, position, maxTimestamp);
      maxTimestamp = Math.max(maxTimestamp, header.maxTimestamp);
    }
    return index;
  }
}

function isPlausible(header: BatchHeader, expectedOffset: number): boolean {
  return (
    header.magic === 2 &&
    header.size >= BATCH_HEADER_BYTES &&
    header.baseOffset >= expectedOffset &&
    header.lastOffset >= header.baseOffset
  );
}
