import type { Change } from '@tidemark/contracts';
import { type Clock, describeError, TestSignal } from '@tidemark/kernel';
import type { Logger } from '@tidemark/observability';
import type { ChangeStore } from './change-store.ts';
import type { StoreListener } from './store-listener.ts';

/** A change with its text as it goes over the wire, made once for all clients. */
export interface TailEntry {
  readonly id: bigint;
  readonly change: Change;
  readonly json: string;
}

export interface ChangeTailOptions {
  readonly store: Pick<ChangeStore, 'following' | 'newestId'>;
  readonly listener: StoreListener;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  /** How often to look without being told, milliseconds: announcements get lost with their connection. */
  readonly pollMs?: number;
}

const entriesMax = 2000;
const bytesMax = 4 * 1024 * 1024;
const fetchRows = 500;

/**
 * The newest changes of the store in memory, fetched once however many clients follow. It is awake only while
 * somebody follows: one connection listens, and a slow poll finds what an announcement did not tell.
 */
export class ChangeTail {
  readonly #options: ChangeTailOptions;
  readonly #waiters = new Set<() => void>();
  /** Emitted after each look at the store with the id it reached. */
  readonly looked = new TestSignal<bigint>();
  #followers = 0;
  #asleep = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #ready: Promise<void> | undefined;
  #entries: TailEntry[] = [];
  #bytes = 0;
  /** Every change above the floor and up to `#newest` is in memory. */
  #floor = 0n;
  #newest = 0n;
  #news = true;
  #wake: () => void = () => {};

  constructor(options: ChangeTailOptions) {
    this.#options = options;
  }

  /** Highest id that was seen; lower ones are visible or will never be. */
  get newest(): bigint {
    return this.#newest;
  }

  /** Keeps the tail awake until the returned function is called. Rejects when the store does not answer. */
  async follow(): Promise<() => Promise<void>> {
    this.#followers += 1;
    if (this.#followers === 1) this.#ready = this.#wakeUp();
    let left = false;
    const leave = async () => {
      if (left) return;
      left = true;
      this.#followers -= 1;
      if (this.#followers === 0) await this.#goToSleep();
    };
    try {
      await this.#ready;
    } catch (error) {
      await leave();
      throw error;
    }
    return leave;
  }

  /** Changes after the id, oldest first; undefined when they reach back further than memory does. */
  after(id: bigint): readonly TailEntry[] | undefined {
    if (id < this.#floor) return undefined;
    let from = this.#entries.length;
    while (from > 0 && (this.#entries[from - 1]?.id ?? 0n) > id) from -= 1;
    return this.#entries.slice(from);
  }

  /** Resolves when there are newer changes than the id, or the signal aborts. */
  async newerThan(id: bigint, signal: AbortSignal): Promise<void> {
    while (this.#newest <= id && !signal.aborted) {
      await new Promise<void>(resolve => {
        const done = () => {
          signal.removeEventListener('abort', done);
          this.#waiters.delete(done);
          resolve();
        };
        signal.addEventListener('abort', done);
        this.#waiters.add(done);
      });
    }
  }

  async #wakeUp(): Promise<void> {
    await this.#running; // the nap before may still be closing its connection
    this.#asleep = new AbortController();
    this.#newest = await this.#options.store.newestId();
    this.#floor = this.#newest;
    this.#entries = [];
    this.#bytes = 0;
    const { signal } = this.#asleep;
    this.#running = Promise.all([
      this.#options.listener.listen(() => this.#tell(), signal),
      this.#run(signal),
    ]).then(() => {});
  }

  async #goToSleep(): Promise<void> {
    this.#asleep.abort();
    this.#wake();
    await this.#running;
    if (this.#followers > 0) return;
    this.#entries = [];
    this.#bytes = 0;
  }

  #tell(): void {
    this.#news = true;
    this.#wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#news = false;
      await this.#look(signal);
      if (!this.#news && !signal.aborted) await this.#nap(signal);
    }
  }

  /** Waits for an announcement or for the poll. */
  async #nap(signal: AbortSignal): Promise<void> {
    const { clock, pollMs = 1000 } = this.#options;
    const told = new AbortController();
    this.#wake = () => told.abort();
    await clock.sleep(pollMs, AbortSignal.any([signal, told.signal])).catch(() => {});
    this.#wake = () => {};
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const upTo = await store.newestId();
      while (this.#newest < upTo && !signal.aborted) {
        const { changes, reached } = await store.following({}, this.#newest, upTo, fetchRows);
        this.#append(changes, reached);
      }
      this.looked.emit(this.#newest);
    } catch (error) {
      logger.warn(
        { reason: describeError(error) },
        'the live feed cannot read the change store; trying again',
      );
    }
  }

  #append(changes: readonly Change[], reached: bigint): void {
    for (const change of changes) {
      const json = JSON.stringify(change);
      this.#entries.push({ id: BigInt(change.id), change, json });
      this.#bytes += json.length;
    }
    this.#newest = reached;
    this.#trim();
    for (const waiter of this.#waiters) waiter();
  }

  #trim(): void {
    let drop = 0;
    while (this.#entries.length - drop > entriesMax || this.#bytes > bytesMax) {
      const oldest = this.#entries[drop];
      if (!oldest) break;
      this.#bytes -= oldest.json.length;
      this.#floor = oldest.id;
      drop += 1;
    }
    if (drop > 0) this.#entries = this.#entries.slice(drop);
  }
}
