import { type FoundBatches, scanBatches, type WantedBatches } from './batch-scan.ts';
import { LentMemory } from './lent-memory.ts';
import { baseOffsetAt } from './record-batch.ts';

/** Memory for the newest batches of all partitions together; the oldest anywhere make room for the newest. */
export class TailCacheBudget {
  readonly #bytesMax: number;
  /** Where the batches may come from. */
  readonly memory: LentMemory;
  #queue: TailCache[] = [];
  #head = 0;
  #bytes = 0;

  constructor(bytesMax: number, memory = new LentMemory(0)) {
    this.#bytesMax = bytesMax;
    this.memory = memory;
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

/** Batches that were written together, one after another. */
interface Run {
  readonly bytes: Buffer;
  readonly nextOffset: number;
}

/** The newest batches of one partition, contiguous up to the high watermark. Readers at the tail touch no file. */
export class TailCache {
  readonly #budget: TailCacheBudget;
  #runs: Run[] = [];
  #head = 0;
  #bytes = 0;

  constructor(budget: TailCacheBudget) {
    this.#budget = budget;
  }

  /** Adds whole batches that end in front of `nextOffset`. */
  add(bytes: Buffer, nextOffset: number): void {
    this.#budget.memory.retain(bytes);
    this.#runs.push({ bytes, nextOffset });
    this.#bytes += bytes.length;
    this.#budget.added(this, bytes.length);
  }

  /** Removes the oldest run and returns its size; called by the budget. */
  dropOldest(): number {
    const run = this.#runs[this.#head];
    if (!run) return 0;
    this.#head += 1;
    this.#bytes -= run.bytes.length;
    this.#budget.memory.release(run.bytes);
    if (this.#head > 64 && this.#head * 2 > this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head);
      this.#head = 0;
    }
    return run.bytes.length;
  }

  clear(): void {
    this.#budget.released(this.#bytes);
    for (let index = this.#head; index < this.#runs.length; index += 1)
      this.#budget.memory.release((this.#runs[index] as Run).bytes);
    this.#runs = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /** The wanted batches, or null when the offset is older than the cache. */
  read(wanted: WantedBatches): FoundBatches | null {
    const first = this.#runs[this.#head];
    if (!first || wanted.offset < baseOffsetAt(first.bytes, 0)) return null;
    const buffers: Buffer[] = [];
    let bytes = 0;
    let nextOffset = wanted.offset;
    for (let index = this.#indexOf(wanted.offset); index < this.#runs.length; index += 1) {
      const run = this.#runs[index] as Run;
      const atLeastOne = wanted.atLeastOne && bytes === 0;
      const scan = scanBatches(run.bytes, { ...wanted, bytesMax: wanted.bytesMax - bytes, atLeastOne });
      buffers.push(...scan.buffers);
      bytes += scan.bytes;
      if (scan.bytes > 0) nextOffset = scan.nextOffset;
      if (nextOffset < run.nextOffset) break; // the limits were reached within the run
    }
    return { buffers, bytes, nextOffset, release: this.#lend(buffers) };
  }

  /** Readers may still be sending what the cache drops meanwhile. */
  #lend(buffers: readonly Buffer[]): () => void {
    const { memory } = this.#budget;
    for (const buffer of buffers) memory.retain(buffer);
    let isLent = true;
    return () => {
      if (isLent) for (const buffer of buffers) memory.release(buffer);
      isLent = false;
    };
  }

  /** The run that contains the offset, by bisection. */
  #indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle] as Run).nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
