import { encode, tsoToMs } from '@tidemark/canal-json';
import type { Clock } from '@tidemark/kernel';
import type { OutboundMessage } from './outbox.ts';

export interface WatermarksOptions {
  readonly partitions: number;
  /** Least time between two watermarks, milliseconds. */
  readonly intervalMs: number;
  readonly clock: Clock;
  /** The commitTs of the newest transaction that stands in the outbox whole. */
  readonly newest: () => bigint;
  readonly isInTransaction: () => boolean;
  readonly emit: (message: OutboundMessage) => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/**
 * Tells the consumers of every partition that all changes up to a commitTs were sent. It is the commitTs of a
 * transaction and never a later time: a commit that is still on its way could carry an earlier one.
 */
export class Watermarks {
  readonly #options: WatermarksOptions;
  #sentTs = 0n;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #isWaiting = false;

  constructor(options: WatermarksOptions) {
    this.#options = options;
  }

  /** A transaction stands in the outbox whole. */
  committed(): void {
    const { clock, intervalMs } = this.#options;
    const restMs = this.#sentAtMs + intervalMs - clock.monotonic();
    if (restMs <= 0) this.#send();
    else if (!this.#isWaiting) void this.#sendAfter(restMs);
  }

  async #sendAfter(restMs: number): Promise<void> {
    const { clock, isInTransaction, signal } = this.#options;
    this.#isWaiting = true;
    await clock.sleep(restMs, signal).catch(() => {});
    this.#isWaiting = false;
    // Inside a transaction its end will see that the time has come.
    if (!signal.aborted && !isInTransaction()) this.#send();
  }

  #send(): void {
    const { partitions, clock, newest, emit } = this.#options;
    const watermarkTs = newest();
    if (watermarkTs <= this.#sentTs) return;
    this.#sentTs = watermarkTs;
    this.#sentAtMs = clock.monotonic();
    const esMs = tsoToMs(watermarkTs);
    const value = encode({ kind: 'watermark', esMs, tsMs: clock.now(), watermarkTs });
    for (let partition = 0; partition < partitions; partition += 1) {
      emit({ partition, value, changeId: undefined, traceparent: undefined, table: '', op: 'watermark' });
    }
  }
}
