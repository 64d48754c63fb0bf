import type { Timers } from '../src/timers.ts';

interface Scheduled {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes only when the test says so; timers fire in order of their time. */
export class VirtualTime implements Timers {
  #nowMs = 0;
  #scheduled: Scheduled[] = [];

  readonly monotonicMs = (): number => this.#nowMs;

  schedule(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, run };
    this.#scheduled.push(entry);
    return () => {
      this.#scheduled = this.#scheduled.filter(other => other !== entry);
    };
  }

  /** Lets time pass; what was promised meanwhile is settled step by step. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (;;) {
      const next = this.#scheduled
        .filter(({ atMs }) => atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#scheduled = this.#scheduled.filter(other => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
