/** Turns counters that are read now and then into rates. */
export class Rates {
  readonly #last = new Map<string, { readonly value: number; readonly atMs: number }>();

  /**
   * Growth a second since the counter was read before; null the first time, without a value, and after it was reset.
   * @param atMs monotonic time at which the value was read
   */
  perSecond(counter: string, value: number | null, atMs: number): number | null {
    if (value === null) return null;
    const before = this.#last.get(counter);
    if (before && atMs <= before.atMs) return null;
    this.#last.set(counter, { value, atMs });
    if (!before || value < before.value) return null;
    return (value - before.value) / ((atMs - before.atMs) / 1000);
  }
}
