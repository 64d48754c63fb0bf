import type { Timers } from '../timers.ts';
import type { PartitionLog } from './partition-log.ts';

/** Syncs logs that were written to, some time after the write. Nothing runs while nothing is written. */
export class SyncSchedule {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #warn: (message: string, facts: Record<string, unknown>) => void;
  #dirty = new Set<PartitionLog>();
  #cancel: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    timers: Timers,
    intervalMs: number,
    warn: (message: string, facts: Record<string, unknown>) => void,
  ) {
    this.#timers = timers;
    this.#intervalMs = intervalMs;
    this.#warn = warn;
  }

  mark(log: PartitionLog): void {
    this.#dirty.add(log);
    this.#cancel ??= this.#timers.schedule(this.#intervalMs, () => {
      this.#cancel = undefined;
      this.#running = this.#running.then(() => this.#syncAll());
    });
  }

  /** Syncs what is still unsynced and stops the timer. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#running;
    await this.#syncAll();
  }

  async #syncAll(): Promise<void> {
    const logs = this.#dirty;
    this.#dirty = new Set();
    for (const log of logs) {
      await log
        .sync()
        .catch((error: unknown) => this.#warn('a log could not be synced', { folder: log.folder, error }));
    }
  }
}
