import type { Clock } from '@tidemark/kernel';
import { deliverableItems } from './batch.ts';
import { type Sink, wrapDeliver } from './sink.ts';

/**
 * Limits events a second by spacing deliveries: each reserves its share of time before it starts, so concurrent
 * deliveries queue up behind each other. The rate may change while it runs.
 */
export class RateLimit {
  readonly #clock: Clock;
  #eventsPerSec: number;
  /** Monotonic time at which the next delivery may start. */
  #freeAtMs = 0;

  /** @param eventsPerSec Infinity means unlimited */
  constructor(eventsPerSec: number, clock: Clock) {
    this.#eventsPerSec = eventsPerSec;
    this.#clock = clock;
  }

  get eventsPerSec(): number {
    return this.#eventsPerSec;
  }

  set eventsPerSec(value: number) {
    if (!(value > 0)) throw new RangeError('a rate must be above 0');
    this.#eventsPerSec = value;
  }

  guard<E>(inner: Sink<E>): Sink<E> {
    return wrapDeliver(inner, async (batch, signal) => {
      await this.#reserve(deliverableItems(batch).length, signal);
      return inner.deliver(batch, signal);
    });
  }

  async #reserve(events: number, signal: AbortSignal): Promise<void> {
    if (this.#eventsPerSec === Infinity) return;
    const nowMs = this.#clock.monotonic();
    const startMs = Math.max(nowMs, this.#freeAtMs);
    this.#freeAtMs = startMs + (events / this.#eventsPerSec) * 1000;
    if (startMs > nowMs) await this.#clock.sleep(startMs - nowMs, signal);
  }
}
