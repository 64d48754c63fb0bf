import type { Clock } from '@tidemark/kernel';

export interface SteadyProductionOptions {
  readonly ratePerSec: number;
  /** Infinity produces until the signal aborts. */
  readonly durationMs: number;
  /** Sends this many events and resolves when they are acknowledged. */
  readonly send: (events: number) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** After every batch and every tick. */
  readonly onProgress?: (progress: ProductionProgress) => void;
}

export interface ProductionProgress {
  readonly elapsedMs: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** The target could not be kept during the last second. */
  readonly saturated: boolean;
}

/** Time between two batches, milliseconds, at rates that need batches. */
const tickMs = 20;
const batchMax = 1000;
const inFlightMax = 4;
/** Debt beyond this is dropped: a producer that was held up must not answer with a burst. */
const debtMaxMs = 1000;
/** How long beyond its duration a production may go on to send what is due, milliseconds. */
const overtimeMaxMs = 250;

/**
 * Produces at a steady rate up to what the broker takes. Each tick sends what is due; when acknowledgements do not
 * keep up for a second the debt is dropped and the production calls itself saturated instead of drifting.
 */
export class SteadyProduction {
  readonly #options: SteadyProductionOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #startedMs = 0;
  #debited = 0;
  #acknowledged = 0;
  #failed = 0;
  #saturatedAtMs = -Infinity;

  constructor(options: SteadyProductionOptions) {
    this.#options = options;
  }

  get progress(): ProductionProgress {
    const elapsedMs = this.#options.clock.monotonic() - this.#startedMs;
    return {
      elapsedMs,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      saturated: elapsedMs - this.#saturatedAtMs < debtMaxMs,
    };
  }

  /** Resolves when the duration is over or the signal aborted, and everything sent was answered. */
  async run(): Promise<ProductionProgress> {
    const { clock, durationMs, signal, ratePerSec, onProgress } = this.#options;
    this.#startedMs = clock.monotonic();
    const pauseMs = Math.max(tickMs, 1000 / ratePerSec);
    while (!signal.aborted) {
      const { elapsedMs } = this.progress;
      const due = this.#due(elapsedMs);
      onProgress?.(this.progress);
      if (due > 0 && elapsedMs <= durationMs + overtimeMaxMs) {
        await this.#send(due);
        continue;
      }
      // What is still due then is not made up for: the production was asked to last so long, and no longer.
      if (due > 0) this.#saturatedAtMs = elapsedMs;
      if (elapsedMs >= durationMs) break;
      await clock.sleep(Math.min(pauseMs, durationMs - elapsedMs), signal).catch(() => {});
    }
    await Promise.all(this.#inFlight);
    return this.progress;
  }

  /** Events that should have been sent by now and were not. */
  #due(elapsedMs: number): number {
    const { ratePerSec, durationMs } = this.#options;
    const target = Math.floor((Math.min(elapsedMs, durationMs) / 1000) * ratePerSec);
    const debtMax = Math.max(1, (debtMaxMs / 1000) * ratePerSec);
    if (target - this.#debited > debtMax) {
      this.#saturatedAtMs = elapsedMs;
      this.#debited = target - Math.floor(debtMax / 2);
    }
    return target - this.#debited;
  }

  async #send(due: number): Promise<void> {
    const events = Math.min(batchMax, due);
    this.#debited += events;
    this.#begin(events);
    if (this.#inFlight.size >= inFlightMax) await Promise.race(this.#inFlight);
  }

  #begin(events: number): void {
    const sending = this.#options.send(events).then(
      () => {
        this.#acknowledged += events;
      },
      () => {
        this.#failed += events;
      },
    );
    const tracked = sending.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
  }
}
