import { baseOffsetAt, lastOffsetAt } from './record-batch.ts';

/** Memory for the newest batches of all partitions together; the oldest batch anywhere makes room for the newest. */
export class TailCacheBudget {
  readonly #bytesMax: number;
  #queue: TailCache[] = [];
  #head = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  added(owner: TailCache, bytes: number): void {
    this.#bytes += bytes;
    this.#queue.push(owner);
    while (this.#bytes > this.#bytesMax) this.#evictOldest();
  }

  /** A partition dropped its whole cache; its places in the queue become empty. */
  released(bytes: number): void {
    this.#bytes -= bytes;
  }

  #evictOldest(): void {
    const owner = this.#queue[this.#head];
    this.#head += 1;
    if (owner) this.#bytes -= owner.dropOldest();
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** The newest batches of one partition, contiguous up to the high watermark. Readers at the tail touch no file. */
export class TailCache {
  readonly #budget: TailCacheBudget;
  #batches: Buffer[] = [];
  #head = 0;
  #bytes = 0;

  constructor(budget: TailCacheBudget) {
    this.#budget = budget;
  }

  add(batch: Buffer): void {
    this.#batches.push(batch);
    this.#bytes += batch.length;
    this.#budget.added(this, batch.length);
  }

  /** Removes the oldest batch and returns its size; called by the budget. */
  dropOldest(): number {
    const batch = this.#batches[this.#head];
    if (!batch) return 0;
    this.#head += 1;
    this.#bytes -= batch.length;
    if (this.#head > 64 && this.#head * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
    return batch.length;
  }

  clear(): void {
    this.#budget.released(this.#bytes);
    this.#batches = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /**
   * Whole batches from the one that contains `offset` up to `bound` and `bytesMax` (the first may be larger), or null
   * when the offset is older than the cache.
   */
  read(offset: number, bound: number, bytesMax: number): Buffer[] | null {
    const first = this.#batches[this.#head];
    if (!first || offset < baseOffsetAt(first, 0)) return null;
    const found: Buffer[] = [];
    let bytes = 0;
    for (let index = this.#indexOf(offset); index < this.#batches.length; index += 1) {
      const batch = this.#batches[index];
      if (!batch || baseOffsetAt(batch, 0) >= bound) break;
      if (found.length > 0 && bytes + batch.length > bytesMax) break;
      found.push(batch);
      bytes += batch.length;
    }
    return found;
  }

  /** The first batch that ends at or behind the offset, by bisection. */
  #indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.#batches[middle];
      if (batch && lastOffsetAt(batch, 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
