import { WireError } from '../wire/wire-error.ts';

const LENGTH_BYTES = 4;

/**
 * Cuts the stream of a connection into frames (int32 length, then that many bytes). A frame that lies within one
 * piece is a view of it; one that spans pieces is copied together once. Memory is taken as bytes arrive, never on
 * the word of a length.
 */
export class FrameDecoder {
  readonly #frameBytesMax: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** The next complete frame without its length, or null. Throws for a length that cannot be meant. */
  next(): Buffer | null {
    if (this.#bytes < LENGTH_BYTES) return null;
    if ((this.#pieces[0]?.length ?? 0) < LENGTH_BYTES) this.#join();
    const length = this.#pieces[0]?.readInt32BE(0) ?? 0;
    if (length <= 0 || length > this.#frameBytesMax) throw new WireError(`a frame of ${length} bytes`);
    if (this.#bytes < LENGTH_BYTES + length) return null;
    return this.#take(LENGTH_BYTES + length).subarray(LENGTH_BYTES);
  }

  #take(size: number): Buffer {
    this.#bytes -= size;
    const first = this.#pieces[0] as Buffer;
    if (first.length > size) {
      this.#pieces[0] = first.subarray(size);
      return first.subarray(0, size);
    }
    if (first.length === size) {
      this.#pieces.shift();
      return first;
    }
    return this.#gather(size);
  }

  /** Copies one frame out of several pieces; what belongs to the next frame stays where it is. */
  #gather(size: number): Buffer {
    const frame = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    let taken = 0;
    for (const piece of this.#pieces) {
      const copied = piece.copy(frame, filled, 0, size - filled);
      filled += copied;
      if (copied < piece.length) {
        this.#pieces[taken] = piece.subarray(copied);
        break;
      }
      taken += 1;
    }
    this.#pieces.splice(0, taken);
    return frame;
  }

  #join(): void {
    this.#pieces = [Buffer.concat(this.#pieces, this.#bytes)];
  }
}
