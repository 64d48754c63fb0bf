import type { Clock } from '@tidemark/kernel';

export interface AttemptLimitOptions {
  /** Attempts that one key has within the window. */
  readonly max: number;
  readonly windowMs: number;
  /** Keys that are remembered; beyond that the oldest is forgotten, so that memory is bounded. */
  readonly keysMax?: number;
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface Window {
  used: number;
  readonly endsAtMs: number;
}

/** Counts attempts by key in windows that begin with the first attempt. */
export class AttemptLimit {
  readonly #options: AttemptLimitOptions;
  readonly #windows = new Map<string, Window>();

  constructor(options: AttemptLimitOptions) {
    this.#options = options;
  }

  /**
   * Takes an attempt before its outcome is known, so that many at once cannot slip through together.
   * @returns 0, or the milliseconds to wait when none is left
   */
  take(key: string): number {
    const now = this.#options.clock.monotonic();
    const window = this.#windowOf(key, now);
    if (window.used >= this.#options.max) return Math.max(1, window.endsAtMs - now);
    window.used += 1;
    return 0;
  }

  /** Gives back an attempt that turned out to be legitimate. */
  giveBack(key: string): void {
    const window = this.#windows.get(key);
    if (window && window.used > 0) window.used -= 1;
  }

  #windowOf(key: string, now: number): Window {
    const existing = this.#windows.get(key);
    if (existing && existing.endsAtMs > now) return existing;
    const window = { used: 0, endsAtMs: now + this.#options.windowMs };
    this.#windows.delete(key); // a map keeps the order of insertion, and the order must be that of the window ends
    this.#windows.set(key, window);
    this.#forget(now);
    return window;
  }

  #forget(now: number): void {
    const { keysMax = 50_000 } = this.#options;
    for (const [key, { endsAtMs }] of this.#windows) {
      if (endsAtMs > now && this.#windows.size <= keysMax) return;
      this.#windows.delete(key);
    }
  }
}
