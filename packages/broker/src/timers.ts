/** Calls back later. Passed in, so that tests and simulations own the time. */
export interface Timers {
  /** Runs the callback once after `delayMs`; the returned function prevents that. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** setTimeout takes at most this many milliseconds; a longer wait is capped, and the callbacks here re-check time. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export const systemTimers: Timers = {
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, DELAY_MS_MAX));
    return () => clearTimeout(timer);
  },
};
