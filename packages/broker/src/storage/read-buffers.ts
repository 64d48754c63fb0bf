/** Smallest piece of memory that is lent; each larger size is twice the one below. */
const SMALLEST_BYTES = 16 * 1024;
/** Larger ones are made for the occasion: a consumer that asks for so much at once is rare. */
const LARGEST_BYTES = 2 * 1024 * 1024;

/**
 * Memory into which files are read for consumers, used again and again: new memory for every answer would keep the
 * kernel busy with clearing pages and the garbage collector with counting them. What is not given back is left to
 * the garbage collector, so that forgetting costs speed and nothing else.
 */
export class ReadBuffers {
  readonly #bytesMax: number;
  readonly #free = new Map<number, Buffer[]>();
  #bytes = 0;

  /** Keeps at most `bytesMax` of memory that is not in use. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  take(bytes: number): Buffer {
    const size = sizeFor(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) this.#bytes -= free.length;
    return free ?? Buffer.allocUnsafeSlow(size);
  }

  /** Nobody may look at the buffer, or at a view of it, after this. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size > LARGEST_BYTES || this.#bytes + size > this.#bytesMax) return;
    const free = this.#free.get(size);
    if (free) free.push(buffer);
    else this.#free.set(size, [buffer]);
    this.#bytes += size;
  }
}

function sizeFor(bytes: number): number {
  if (bytes > LARGEST_BYTES) return bytes;
  let size = SMALLEST_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
