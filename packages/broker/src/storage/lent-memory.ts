/** Smaller pieces are ordinary memory: keeping account of them costs more than is gained. */
const LENT_BYTES_MIN = 1024;
/** Larger ones are made for the occasion. */
const LENT_BYTES_MAX = 2 * 1024 * 1024;

interface Loan {
  readonly whole: Buffer;
  users: number;
}

/**
 * Memory for record batches on their way in and out, used again and again: new memory for each would keep the kernel
 * busy with clearing pages and the garbage collector with counting them, which was half of all work.
 *
 * Whoever keeps a view of lent memory beyond the call that gave it is a user: it calls `retain` once and `release`
 * once. A release too many lends memory that somebody still reads; one too few only leaves it to the garbage
 * collector. Views of other memory may be passed as well and are left alone.
 */
export class LentMemory {
  readonly #keptBytesMax: number;
  readonly #free = new Map<number, Loan[]>();
  readonly #loans = new WeakMap<ArrayBufferLike, Loan>();
  #keptBytes = 0;

  /** Keeps at most this much that nobody uses; 0 lends nothing twice. */
  constructor(keptBytesMax = 8 * 1024 * 1024) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** So many bytes with one user, the caller. Their content is whatever it was. */
  take(bytes: number): Buffer {
    if (bytes < LENT_BYTES_MIN) return Buffer.allocUnsafe(bytes);
    if (bytes > LENT_BYTES_MAX || this.#keptBytesMax === 0) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeFor(bytes);
    const loan = this.#free.get(size)?.pop() ?? this.#make(size);
    if (loan.users === 0) this.#keptBytes -= size;
    loan.users = 1;
    return loan.whole.subarray(0, bytes);
  }

  retain(view: Buffer): void {
    const loan = this.#loans.get(view.buffer);
    if (loan) loan.users += 1;
  }

  release(view: Buffer): void {
    const loan = this.#loans.get(view.buffer);
    if (!loan) return;
    loan.users -= 1;
    if (loan.users === 0) this.#keep(loan);
  }

  #make(size: number): Loan {
    const whole = Buffer.allocUnsafeSlow(size);
    const loan = { whole, users: 1 };
    this.#loans.set(whole.buffer, loan);
    return loan;
  }

  #keep(loan: Loan): void {
    const size = loan.whole.length;
    const free = this.#free.get(size) ?? [];
    free.push(loan);
    // The map's order is the order of last use: what traffic of before left behind makes room for that of now.
    this.#free.delete(size);
    this.#free.set(size, free);
    this.#keptBytes += size;
    while (this.#keptBytes > this.#keptBytesMax) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const [size, free] of this.#free) {
      const loan = free.shift();
      if (!loan) {
        this.#free.delete(size);
        continue;
      }
      this.#loans.delete(loan.whole.buffer);
      this.#keptBytes -= size;
      return;
    }
  }
}

/** The sizes that are kept: four to each doubling, so that at most a fifth is wasted. */
function sizeFor(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}
