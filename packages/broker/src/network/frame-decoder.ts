import type { LentMemory } from '../storage/lent-memory.ts';
import { WireError } from '../wire/wire-error.ts';

const LENGTH_BYTES = 4;
/** What a frame takes at once; a larger one takes twice as much whenever that is full, never on the word of its length. */
const FIRST_BYTES_MAX = 256 * 1024;

/**
 * Cuts the stream of a connection into frames (int32 length, then that many bytes). Each is copied together into lent
 * memory of its own, so that the pieces it came in can be used again at once. Whoever takes a frame is its user.
 */
export class FrameDecoder {
  readonly #frameBytesMax: number;
  readonly #memory: LentMemory;
  #complete: Buffer[] = [];
  #refusal: WireError | null = null;
  #length = 0;
  #lengthBytes = 0;
  #frame: Buffer | null = null;
  #filled = 0;

  constructor(frameBytesMax: number, memory: LentMemory) {
    this.#frameBytesMax = frameBytesMax;
    this.#memory = memory;
  }

  /** Bytes of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#lengthBytes + this.#filled;
  }

  /** Takes everything out of the piece. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length && !this.#refusal) {
      at = this.#frame ? this.#fill(this.#frame, piece, at) : this.#readLength(piece, at);
    }
  }

  /** The next complete frame without its length, or null. Throws where a length cannot be meant. */
  next(): Buffer | null {
    const frame = this.#complete.shift();
    if (!frame && this.#refusal) throw this.#refusal;
    return frame ?? null;
  }

  #readLength(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && this.#lengthBytes < LENGTH_BYTES) {
      this.#length = (this.#length << 8) | (piece[at] as number);
      this.#lengthBytes += 1;
      at += 1;
    }
    if (this.#lengthBytes < LENGTH_BYTES) return at;
    if (this.#length <= 0 || this.#length > this.#frameBytesMax)
      this.#refusal = new WireError(`a frame of ${this.#length} bytes`);
    else this.#frame = this.#memory.take(Math.min(this.#length, FIRST_BYTES_MAX));
    return at;
  }

  #fill(taken: Buffer, piece: Buffer, at: number): number {
    const frame = this.#filled < taken.length ? taken : this.#grow(taken);
    const copied = piece.copy(frame, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === this.#length) {
      this.#complete.push(frame);
      this.#frame = null;
      this.#length = 0;
      this.#lengthBytes = 0;
      this.#filled = 0;
    }
    return at + copied;
  }

  #grow(full: Buffer): Buffer {
    const larger = this.#memory.take(Math.min(this.#length, full.length * 2));
    full.copy(larger);
    this.#memory.release(full);
    this.#frame = larger;
    return larger;
  }
}
