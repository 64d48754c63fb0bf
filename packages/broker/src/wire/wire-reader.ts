import { WireError } from './wire-error.ts';

/**
 * How many array elements one request may carry in all. A frame of one-byte elements would otherwise grow a
 * hundredfold when it becomes objects.
 */
const ELEMENTS_MAX = 200_000;

/**
 * Reads the protocol's primitive types from one frame (Kafka protocol guide, "Protocol Primitive Types").
 * Every method throws {@link WireError} when the frame ends too early. Bytes are views of the frame, not copies.
 *
 * 64-bit integers become numbers: offsets, timestamps and producer ids that Tidemark hands out stay far below 2^53,
 * and a larger one sent by a peer is out of range whatever its last digits are.
 */
export class WireReader {
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #position: number;
  #elementsLeft = ELEMENTS_MAX;

  constructor(buffer: Buffer, position = 0) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.#position = position;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#buffer.length - this.#position;
  }

  int8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  int16(): number {
    return this.#view.getInt16(this.#advance(2));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4));
  }

  int64(): number {
    const at = this.#advance(8);
    return this.#view.getInt32(at) * 4294967296 + this.#view.getUint32(at + 4);
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  /** Sixteen raw bytes as 22 characters of base64url, the form Kafka's own tools print. */
  uuid(): string {
    return this.raw(16).toString('base64url');
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#advance(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new WireError('a variable-length integer does not end');
  }

  /** A string of `length` bytes; −1 is null. */
  text(length: number): string | null {
    if (length === -1) return null;
    const at = this.#advance(this.#checkLength(length));
    return this.#buffer.toString('utf8', at, at + length);
  }

  /** A view of `length` bytes; −1 is null. */
  bytes(length: number): Buffer | null {
    return length === -1 ? null : this.raw(this.#checkLength(length));
  }

  /** A view of exactly `length` bytes. */
  raw(length: number): Buffer {
    const at = this.#advance(length);
    return this.#buffer.subarray(at, at + length);
  }

  /** Checks an array length before anybody allocates for it; −1 (null) passes. */
  arrayLength(length: number): number {
    if (length === -1) return -1;
    if (length < 0 || length > this.remaining)
      throw new WireError(`array of ${length} elements in a shorter frame`);
    this.#elementsLeft -= length;
    if (this.#elementsLeft < 0)
      throw new WireError(`more than ${ELEMENTS_MAX} array elements in one request`);
    return length;
  }

  /** Skips a section of tagged fields, handing each to `known`, which returns true when it consumed the field. */
  taggedFields(known?: (tag: number, size: number) => boolean): void {
    const count = this.unsignedVarint();
    for (let index = 0; index < count; index += 1) {
      const tag = this.unsignedVarint();
      const size = this.unsignedVarint();
      const end = this.#position + size;
      if (end > this.#buffer.length) throw new WireError('a tagged field is longer than its frame');
      if (known?.(tag, size) && this.#position > end)
        throw new WireError('a tagged field is longer than it says');
      this.#position = end;
    }
  }

  #checkLength(length: number): number {
    if (length < 0) throw new WireError(`negative length ${length}`);
    return length;
  }

  #advance(size: number): number {
    const at = this.#position;
    if (at + size > this.#buffer.length)
      throw new WireError(`frame ends ${at + size - this.#buffer.length} bytes early`);
    this.#position = at + size;
    return at;
  }
}
