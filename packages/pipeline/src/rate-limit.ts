import { type Clock, deferred } from '@tidemark/kernel';
import { deliverableItems } from './batch.ts';
import { type Sink, wrapDeliver } from './sink.ts';

/**
 * Limits events a second by spacing deliveries: each waits until the time of those before it is used up, in the order
 * in which they came. The rate may change while it runs, and applies at once to those that wait: an operator who lifts
 * a limit must not wait for what was agreed under it.
 */
export class RateLimit {
  readonly #clock: Clock;
  #eventsPerSec: number;
  /** Monotonic time at which the next delivery may start. */
  #freeAtMs = 0;
  /** The last in the queue of those that wait. */
  #last: Promise<void> = Promise.resolve();
  #changed = deferred();

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
    // What was charged under the old rate and is not used up yet is charged anew.
    const nowMs = this.#clock.monotonic();
    const ahead = this.#freeAtMs - nowMs;
    if (ahead > 0) this.#freeAtMs = nowMs + (ahead * this.#eventsPerSec) / value;
    this.#eventsPerSec = value;
    this.#changed.resolve();
    this.#changed = deferred();
  }

  guard<E>(inner: Sink<E>): Sink<E> {
    return wrapDeliver(inner, async (batch, signal) => {
      await this.#reserve(deliverableItems(batch).length, signal);
      return inner.deliver(batch, signal);
    });
  }

  /** One after the other, so that nobody is charged before its turn. */
  #reserve(events: number, signal: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#pass(events, signal));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #pass(events: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const nowMs = this.#clock.monotonic();
      if (this.#freeAtMs <= nowMs) {
        this.#freeAtMs = nowMs + (events / this.#eventsPerSec) * 1000;
        return;
      }
      await this.#sleepUnlessChanged(this.#freeAtMs - nowMs, signal);
    }
  }

  async #sleepUnlessChanged(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const changed = this.#changed.promise.then(() => woken.abort());
    const slept = this.#clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => {});
    await Promise.race([slept, changed]);
  }
}
