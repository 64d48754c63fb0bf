import type { Clock } from '@tidemark/kernel';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that passes only when everything that could run has run. A minute of it takes milliseconds. */
export class VirtualClock implements Clock {
  /** Sorted by time, then by the order in which they were set. */
  #timers: Timer[] = [];
  #nowMs = 0;
  #set = 0;

  now(): number {
    return Date.UTC(2026, 10, 21) + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const cancel = this.at(this.#nowMs + ms, () => {
        signal?.removeEventListener('abort', give);
        resolve();
      });
      const give = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', give, { once: true });
    });
  }

  /** Calls `fire` at a time; returns what prevents it. */
  at(atMs: number, fire: () => void): () => void {
    const timer: Timer = { atMs, order: this.#set++, fire };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1]?.atMs ?? 0) > atMs) index -= 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  }

  /** A signal that aborts after a while. */
  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    this.at(this.#nowMs + ms, () => controller.abort(new Error('deadline')));
    return controller.signal;
  }

  /** Lets time pass until `done` says so; throws when it has not by `untilMs`, or when nothing can happen any more. */
  async run(done: () => boolean, untilMs: number): Promise<void> {
    for (;;) {
      await settled();
      if (done()) return;
      const next = this.#timers.shift();
      if (!next) throw new Error(`nothing happens any more at ${this.#nowMs} ms`);
      if (next.atMs > untilMs) throw new Error(`not finished after ${untilMs} ms`);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
  }
}

/** Resolves when all promise reactions have run. */
function settled(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve);
  });
}
