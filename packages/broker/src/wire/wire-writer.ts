const INITIAL_BYTES = 512;
/** Larger byte sequences are passed on as they are instead of being copied. */
const COPY_BYTES_MAX = 1024;

/**
 * Writes the protocol's primitive types into a list of buffers. Record batches are linked in, not copied, so a fetch
 * response costs the same however much data it carries.
 */
export class WireWriter {
  readonly #finished: Buffer[] = [];
  #finishedBytes = 0;
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #position = 0;
  #start = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#finishedBytes + this.#position - this.#start;
  }

  int8(value: number): void {
    this.#reserve(1);
    this.#position = this.#buffer.writeInt8(value, this.#position);
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#position = this.#buffer.writeInt16BE(value, this.#position);
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#position = this.#buffer.writeUInt16BE(value, this.#position);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#position = this.#buffer.writeInt32BE(value, this.#position);
  }

  int64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / 4294967296);
    this.#position = this.#buffer.writeInt32BE(high, this.#position);
    this.#position = this.#buffer.writeUInt32BE(value - high * 4294967296, this.#position);
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#position = this.#buffer.writeDoubleBE(value, this.#position);
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  uuid(value: string): void {
    this.#reserve(16);
    this.#position += this.#buffer.write(value, this.#position, 16, 'base64url');
  }

  unsignedVarint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#position] = (rest & 0x7f) | 0x80;
      this.#position += 1;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#position] = rest;
    this.#position += 1;
  }

  /** UTF-8 without a length in front. */
  text(value: string, byteLength: number): void {
    this.#reserve(byteLength);
    this.#position += this.#buffer.write(value, this.#position, byteLength, 'utf8');
  }

  /** Bytes without a length in front; long ones are linked and must not change afterwards. */
  raw(bytes: Buffer): void {
    if (bytes.length > COPY_BYTES_MAX) {
      this.#link(bytes);
      return;
    }
    this.#reserve(bytes.length);
    this.#position += bytes.copy(this.#buffer, this.#position);
  }

  /** Everything written, in order. The writer must not be used afterwards. */
  finish(): Buffer[] {
    this.#closeCurrent();
    return this.#finished;
  }

  #link(bytes: Buffer): void {
    this.#closeCurrent();
    this.#finished.push(bytes);
    this.#finishedBytes += bytes.length;
  }

  #closeCurrent(): void {
    if (this.#position === this.#start) return;
    this.#finished.push(this.#buffer.subarray(this.#start, this.#position));
    this.#finishedBytes += this.#position - this.#start;
    this.#start = this.#position;
  }

  #reserve(size: number): void {
    if (this.#position + size <= this.#buffer.length) return;
    const open = this.#position - this.#start;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, open + size));
    this.#buffer.copy(grown, 0, this.#start, this.#position);
    this.#buffer = grown;
    this.#start = 0;
    this.#position = open;
  }
}
