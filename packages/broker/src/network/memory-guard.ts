/** A connection that makes the broker hold memory, and can be made to let go of it. */
export interface Holder {
  drop(reason: string): void;
}

/**
 * Memory that peers make the broker hold without its doing: requests that do not end, answers that nobody reads. All of
 * them together have a limit; beyond it, whoever holds most has to go, and the others are not harmed.
 */
export class MemoryGuard {
  readonly #bytesMax: number;
  readonly #reason: string;
  readonly #held = new Map<Holder, number>();
  #bytes = 0;

  /** @param reason told of the one that is dropped */
  constructor(bytesMax: number, reason: string) {
    this.#bytesMax = bytesMax;
    this.#reason = reason;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The holder holds this much now. */
  hold(holder: Holder, bytes: number): void {
    const before = this.#held.get(holder) ?? 0;
    if (bytes === before) return;
    this.#bytes += bytes - before;
    if (bytes === 0) this.#held.delete(holder);
    else this.#held.set(holder, bytes);
    if (this.#bytes > this.#bytesMax) this.#dropLargest();
  }

  #dropLargest(): void {
    let largest: Holder | undefined;
    let most = 0;
    for (const [holder, bytes] of this.#held) {
      if (bytes > most) [largest, most] = [holder, bytes];
    }
    if (!largest) return;
    this.hold(largest, 0);
    largest.drop(`${this.#reason}, and this connection has most of it: ${most} bytes`);
  }
}
