/**
 * Tells how far a partition is done when its records complete in any order: the contiguous low watermark. An offset
 * above a gap never counts, however many are complete there, so a commit can never skip an unfinished record.
 */
export class OffsetTracker {
  /** Offsets in log order; the head is the oldest unfinished one. Offsets may have gaps (compaction, markers). */
  #offsets: bigint[] = [];
  #head = 0;
  readonly #completed = new Set<bigint>();
  #watermark: bigint;

  /** @param start the position that everything below is done at */
  constructor(start: bigint) {
    this.#watermark = start;
  }

  /** Every offset below it is complete. */
  get watermark(): bigint {
    return this.#watermark;
  }

  /** Begun and not yet below the watermark. */
  get pending(): number {
    return this.#offsets.length - this.#head;
  }

  begin(offset: bigint): void {
    const last = this.#offsets.at(-1);
    if (offset < this.#watermark || (last !== undefined && this.pending > 0 && offset <= last)) {
      throw new RangeError(`offset ${offset} was begun out of order`);
    }
    this.#offsets.push(offset);
  }

  /** Marks an offset as done and returns the watermark. */
  complete(offset: bigint): bigint {
    this.#completed.add(offset);
    for (;;) {
      const oldest = this.#offsets[this.#head];
      if (oldest === undefined || !this.#completed.delete(oldest)) break;
      this.#head += 1;
      this.#watermark = oldest + 1n;
    }
    this.#compact();
    return this.#watermark;
  }

  #compact(): void {
    if (this.#head < 1024 || this.#head * 2 < this.#offsets.length) return;
    this.#offsets = this.#offsets.slice(this.#head);
    this.#head = 0;
  }
}
