import { performance } from 'node:perf_hooks';

/** What a consumer asks for at once, and a few batches of a busy producer: a fraction of a millisecond in memory. */
const BYTES_MAX = 1024 * 1024;
/** A transfer that took this long had to wait for the device, or for the system to write its cache down. */
const SLOW_MS = 5;
/** How long transfers then go to other threads before one is tried here again. */
const PAUSE_MS = 1000;

/**
 * Says which reads and writes may be done on the thread of the event loop. Those that end in the page cache take less
 * than waking another thread for them and being woken by it, on virtual machines above all. As soon as one has to
 * wait, all go to other threads for a while, so that a disk that is slow, full of work or broken holds up nobody but
 * its own files.
 */
export class SmallTransfers {
  #threadsUntilMs = 0;

  fits(bytes: number): boolean {
    return bytes <= BYTES_MAX && (this.#threadsUntilMs === 0 || performance.now() >= this.#threadsUntilMs);
  }

  run(transfer: () => number): number {
    const begunMs = performance.now();
    try {
      return transfer();
    } finally {
      const endedMs = performance.now();
      this.#threadsUntilMs = endedMs - begunMs > SLOW_MS ? endedMs + PAUSE_MS : 0;
    }
  }
}
