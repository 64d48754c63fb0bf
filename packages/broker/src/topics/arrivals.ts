import type { Timers } from '../timers.ts';
import type { Partition } from './partition.ts';

/** Watches partitions for a reader that found too little: the long poll of Fetch. */
export class Arrivals {
  readonly #stops: (() => void)[];
  #bytes = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #wake: () => void = () => {};

  constructor(partitions: readonly Partition[]) {
    this.#stops = partitions.map(partition => partition.onAdvance(bytes => this.#arrived(partition, bytes)));
  }

  /** Resolves when `bytes` have arrived since the watch began, something was deleted, the time is up or the peer left. */
  async wait(bytes: number, delayMs: number, timers: Timers, closed: AbortSignal): Promise<void> {
    if (this.#bytes >= bytes || closed.aborted || delayMs <= 0) return;
    this.#wanted = bytes;
    await new Promise<void>(resolve => {
      const cancel = timers.schedule(delayMs, () => this.#wake());
      this.#wake = () => {
        cancel();
        closed.removeEventListener('abort', this.#wake);
        resolve();
      };
      closed.addEventListener('abort', this.#wake);
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #arrived(partition: Partition, bytes: number): void {
    this.#bytes += partition.isDeleted ? Number.POSITIVE_INFINITY : bytes;
    if (this.#bytes >= this.#wanted) this.#wake();
  }
}
