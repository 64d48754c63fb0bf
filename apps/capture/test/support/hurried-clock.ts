import { type Clock, systemClock } from '@tidemark/kernel';

/** The machine's clock, so many times as fast: an hour of waiting passes in seconds. */
export function hurriedClock(times: number): Clock {
  const [now, monotonic] = [systemClock.now(), systemClock.monotonic()];
  return {
    now: () => now + (systemClock.monotonic() - monotonic) * times,
    monotonic: () => (systemClock.monotonic() - monotonic) * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}
