/**
 * How many events go into one delivery: halved when the sink finds a batch too slow, one step of a sixteenth back
 * with each batch that succeeds (additive increase, multiplicative decrease).
 */
export class BatchLimit {
  readonly #max: number;
  #current: number;

  constructor(max: number) {
    this.#max = max;
    this.#current = max;
  }

  get current(): number {
    return this.#current;
  }

  shrink(): void {
    this.#current = Math.max(1, Math.floor(this.#current / 2));
  }

  grow(): void {
    this.#current = Math.min(this.#max, this.#current + Math.max(1, Math.floor(this.#max / 16)));
  }
}
