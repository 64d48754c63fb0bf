/** Output of a decompressor: grows as needed up to a limit, and repeats what it already holds. */
export class Lz77Output {
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #end = 0;

  /** @param bytesExpected room made at once */
  constructor(bytesExpected: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    if (bytesExpected > bytesMax) throw new RangeError(`it is longer than ${bytesMax} bytes`);
    this.#bytes = new Uint8Array(bytesExpected);
  }

  get length(): number {
    return this.#end;
  }

  /** Appends bytes of the input. */
  literal(input: Uint8Array, start: number, length: number): void {
    if (start + length > input.length) throw new RangeError('it ends too early');
    this.#reserve(length);
    this.#bytes.set(input.subarray(start, start + length), this.#end);
    this.#end += length;
  }

  /** Repeats what stands `distance` bytes before the end; the two can overlap. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#end) throw new RangeError('it refers to what is not there');
    this.#reserve(length);
    const bytes = this.#bytes;
    const end = this.#end + length;
    if (distance >= length) bytes.copyWithin(this.#end, this.#end - distance, this.#end - distance + length);
    else for (let at = this.#end; at < end; at += 1) bytes[at] = bytes[at - distance] as number;
    this.#end = end;
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  #reserve(length: number): void {
    const needed = this.#end + length;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#bytesMax) throw new RangeError(`it is longer than ${this.#bytesMax} bytes`);
    const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
