/**
 * Items waiting by key. A key whose items are being worked on is busy, and its successors wait; items without a key
 * wait for nobody. Keys become ready in the order in which they came.
 */
export class KeyQueues<T> {
  /** Items of keys that wait, ready or behind a busy one. */
  readonly #queues = new Map<string, T[]>();
  readonly #busy = new Set<string>();
  /** Keys with items that are not busy. */
  readonly #ready = new Set<string>();
  #free: T[] = [];

  get hasReady(): boolean {
    return this.#free.length > 0 || this.#ready.size > 0;
  }

  get isEmpty(): boolean {
    return this.#free.length === 0 && this.#queues.size === 0;
  }

  push(key: string | undefined, item: T): void {
    if (key === undefined) {
      this.#free.push(item);
      return;
    }
    const queue = this.#queues.get(key);
    if (queue) queue.push(item);
    else this.#queues.set(key, [item]);
    if (!this.#busy.has(key)) this.#ready.add(key);
  }

  /**
   * Up to `max` items of ready keys, of together up to `weightMax` and at least one, each key's in order; their keys are
   * busy until released.
   */
  take(max: number, weightMax: number, weigh: (item: T) => number): T[] {
    const taken: T[] = [];
    let weight = 0;
    const fits = (item: T) => taken.length < max && (taken.length === 0 || weight + weigh(item) <= weightMax);
    const takeFrom = (queue: T[]) => {
      let count = 0;
      for (const item of queue) {
        if (!fits(item)) break;
        taken.push(item);
        weight += weigh(item);
        count += 1;
      }
      queue.splice(0, count);
      return count;
    };
    takeFrom(this.#free);
    for (const key of this.#ready) {
      const queue = this.#queues.get(key) ?? [];
      if (takeFrom(queue) === 0) break;
      this.#claim(key, queue);
    }
    return taken;
  }

  /** Ends the work on these keys; undefined ones are ignored. */
  release(keys: readonly (string | undefined)[]): void {
    for (const key of keys) {
      if (key === undefined || !this.#busy.delete(key)) continue;
      if (this.#queues.has(key)) this.#ready.add(key);
    }
  }

  #claim(key: string, queue: readonly T[]): void {
    if (queue.length === 0) this.#queues.delete(key);
    this.#ready.delete(key);
    this.#busy.add(key);
  }
}
