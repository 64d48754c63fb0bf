import type { Clock } from '@tidemark/kernel';

/** A moment by which something has to be over. */
export interface Deadline {
  /** Resolves at the moment, or earlier when patience is over. */
  readonly passed: Promise<void>;
  /** Releases the timer once nobody waits any more. */
  cancel(): void;
}

/** @param at monotonic milliseconds */
export function deadlineAt(clock: Clock, at: number, impatient?: AbortSignal): Deadline {
  const over = new AbortController();
  const signal = AbortSignal.any(impatient ? [over.signal, impatient] : [over.signal]);
  const passed = clock.sleep(Math.max(0, at - clock.monotonic()), signal).catch(() => {});
  return { passed, cancel: () => over.abort() };
}
