import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Time as a thing that is passed in, so that simulations and tests own it. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary origin; the only clock to measure durations with. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Node's timers take no more, and fire at once instead (Node.js docs, "Timers"), milliseconds. */
const timerMaxMs = 2 ** 31 - 1;

/** The machine's own clock. Composition files hand it out; pure packages never import it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    try {
      for (let leftMs = ms; leftMs > 0; leftMs -= timerMaxMs) {
        await delay(Math.min(leftMs, timerMaxMs), undefined, signal ? { signal } : {});
      }
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    }
  },
};
