import { crc32c } from '@node-rs/crc32';

/** One entry for about this many bytes of log: a lookup reads at most this much in vain. */
const INTERVAL_BYTES = 4096;
const HEADER_BYTES = 40;
const ROW_BYTES = 16;
const FORMAT = 0x54494458; // "TIDX"

/** Where a search in the segment's file may start. */
export interface IndexEntry {
  readonly position: number;
  /** Largest timestamp of all batches in front of the position; −1 when there are none. */
  readonly maxTimestampBefore: number;
}

/** What an index file says about its segment; it is written only after the segment's data was synced. */
export interface IndexedExtent {
  readonly size: number;
  readonly nextOffset: number;
  readonly maxTimestamp: number;
}

const START: IndexEntry = { position: 0, maxTimestampBefore: -1 };

/** Sparse offset and time index of one segment, in typed arrays: a 64 MiB segment takes at most 256 KiB. */
export class SegmentIndex {
  #offsets = new Uint32Array(64);
  #positions = new Uint32Array(64);
  #times = new Float64Array(64);
  #length = 0;

  /** Call for every batch in log order; keeps one in about {@link INTERVAL_BYTES}. */
  add(relativeOffset: number, position: number, maxTimestampBefore: number): void {
    const last = this.#length - 1;
    if (last >= 0 && position - (this.#positions[last] ?? 0) < INTERVAL_BYTES) return;
    if (this.#length === this.#offsets.length) this.#grow();
    this.#offsets[this.#length] = relativeOffset;
    this.#positions[this.#length] = position;
    this.#times[this.#length] = maxTimestampBefore;
    this.#length += 1;
  }

  /** The last entry at or before the offset. */
  atOffset(relativeOffset: number): IndexEntry {
    return this.#entry(this.#lastWhere(index => (this.#offsets[index] ?? 0) <= relativeOffset));
  }

  /** The last entry in front of which every timestamp is smaller. */
  atTime(timestamp: number): IndexEntry {
    return this.#entry(this.#lastWhere(index => (this.#times[index] ?? 0) < timestamp));
  }

  encode(extent: IndexedExtent): Buffer {
    const file = Buffer.alloc(HEADER_BYTES + this.#length * ROW_BYTES + 4);
    file.writeUInt32BE(FORMAT, 0);
    file.writeUInt32BE(this.#length, 4);
    file.writeDoubleBE(extent.size, 8);
    file.writeDoubleBE(extent.nextOffset, 16);
    file.writeDoubleBE(extent.maxTimestamp, 24);
    for (let index = 0; index < this.#length; index += 1) {
      const at = HEADER_BYTES + index * ROW_BYTES;
      file.writeUInt32BE(this.#offsets[index] ?? 0, at);
      file.writeUInt32BE(this.#positions[index] ?? 0, at + 4);
      file.writeDoubleBE(this.#times[index] ?? 0, at + 8);
    }
    file.writeUInt32BE(crc32c(file.subarray(0, -4)), file.length - 4);
    return file;
  }

  /** Null when the file is absent, torn or damaged: the caller then walks the segment. */
  static decode(file: Buffer | null): { index: SegmentIndex; extent: IndexedExtent } | null {
    if (!file || file.length < HEADER_BYTES + 4 || file.readUInt32BE(0) !== FORMAT) return null;
    if (crc32c(file.subarray(0, -4)) !== file.readUInt32BE(file.length - 4)) return null;
    const index = new SegmentIndex();
    const length = file.readUInt32BE(4);
    for (let row = 0; row < length; row += 1) {
      const at = HEADER_BYTES + row * ROW_BYTES;
      index.add(file.readUInt32BE(at), file.readUInt32BE(at + 4), file.readDoubleBE(at + 8));
    }
    const extent = {
      size: file.readDoubleBE(8),
      nextOffset: file.readDoubleBE(16),
      maxTimestamp: file.readDoubleBE(24),
    };
    return { index, extent };
  }

  #entry(index: number): IndexEntry {
    if (index < 0) return START;
    return { position: this.#positions[index] ?? 0, maxTimestampBefore: this.#times[index] ?? -1 };
  }

  /** Bisection over a condition that holds for a prefix of the entries; −1 when it holds for none. */
  #lastWhere(holds: (index: number) => boolean): number {
    let low = -1;
    let high = this.#length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (holds(middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #grow(): void {
    const capacity = this.#offsets.length * 2;
    const offsets = new Uint32Array(capacity);
    const positions = new Uint32Array(capacity);
    const times = new Float64Array(capacity);
    offsets.set(this.#offsets);
    positions.set(this.#positions);
    times.set(this.#times);
    this.#offsets = offsets;
    this.#positions = positions;
    this.#times = times;
  }
}
