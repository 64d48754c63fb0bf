import { type Clock, TestSignal } from '@tidemark/kernel';

/** A position that can be resumed at: everything before it was acknowledged. */
export interface Checkpoint {
  readonly lsn: bigint;
  /** The newest commitTs given out before `lsn`; numbering goes on from it. */
  readonly commitTs: bigint;
}

export interface CheckpointerOptions {
  readonly initial: Checkpoint;
  /** Makes the checkpoint durable. */
  readonly store: (checkpoint: Checkpoint) => Promise<void>;
  /** Tells the database that it may forget what lies before. */
  readonly confirm: (lsn: bigint) => void;
  /** Least time between two checkpoints, milliseconds. */
  readonly intervalMs: number;
  readonly clock: Clock;
  /** The store failed; nothing is confirmed any more. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Stores how far the changefeed has come, and only then confirms it to the slot. In this order a restart finds the
 * number of the last transaction that the slot will not send again, and numbers what follows as before.
 */
export class Checkpointer {
  readonly stored = new TestSignal<Checkpoint>();
  readonly #options: CheckpointerOptions;
  #newest: Checkpoint;
  #storedCheckpoint: Checkpoint;
  #working: Promise<void> | undefined;
  #hurry = new AbortController();

  constructor(options: CheckpointerOptions) {
    this.#options = options;
    this.#newest = options.initial;
    this.#storedCheckpoint = options.initial;
  }

  /** The position that is stored, and at most which is confirmed. */
  get confirmedLsn(): bigint {
    return this.#storedCheckpoint.lsn;
  }

  /** The position that everything is acknowledged up to. */
  get reachedLsn(): bigint {
    return this.#newest.lsn;
  }

  /** Everything before the checkpoint is acknowledged. */
  reached(checkpoint: Checkpoint): void {
    if (checkpoint.lsn <= this.#newest.lsn) return;
    this.#newest = checkpoint;
    this.#working ??= this.#work();
  }

  /** Stores what was reached without further delay; resolves when that is done or has failed. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { store, confirm, intervalMs, clock, onFailure } = this.#options;
    try {
      while (this.#newest.lsn > this.#storedCheckpoint.lsn) {
        const checkpoint = this.#newest;
        await store(checkpoint);
        this.#storedCheckpoint = checkpoint;
        confirm(checkpoint.lsn);
        this.stored.emit(checkpoint);
        await clock.sleep(intervalMs, this.#hurry.signal).catch(() => {});
      }
      this.#working = undefined;
    } catch (error) {
      onFailure(error);
    }
  }
}
