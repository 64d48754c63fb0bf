/** Memory for the requests of all connections together. */
export class RequestBudget {
  readonly #bytesMax: number;
  #bytes = 0;
  #waiting = new Set<() => void>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When there is no room, `retry` is called as soon as there is. */
  hasRoom(retry: () => void): boolean {
    if (this.#bytes < this.#bytesMax) return true;
    this.#waiting.add(retry);
    return false;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes >= this.#bytesMax || this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const retry of waiting) retry();
  }

  forget(retry: () => void): void {
    this.#waiting.delete(retry);
  }
}
