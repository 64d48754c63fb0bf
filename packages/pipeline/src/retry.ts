import { type BackoffPolicy, backoffDelayMs, type Clock } from '@tidemark/kernel';
import { type Batch, deliverableItems } from './batch.ts';
import { AttemptsError, asDeliveryError, type DeliveryError } from './delivery-error.ts';
import { type Sink, wrapDeliver } from './sink.ts';

export interface RetryPolicy extends BackoffPolicy {
  /** Deliveries of one batch before it is given up, the first one included. */
  readonly attempts: number;
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  /** Asks the sink, apart from any event, whether it is well; rejects when it is not. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly onRetry?: (error: DeliveryError) => void;
}

/**
 * Tries again. Transient failures count towards `attempts`; a sink that is down is waited for as long as it takes.
 * Whenever a single event fails the sink is probed, and what failed before a probe that fails counts for nothing. Only
 * an event with a probe that succeeded after each of its attempts is given up: an outage that begins, ends or hides
 * behind errors that do not look like one, however short, is never blamed on an event.
 */
export function retrying<E>(inner: Sink<E>, options: RetryOptions): Sink<E> {
  return wrapDeliver(inner, async (batch, signal) => {
    const tries = new Tries(options, batch);
    for (;;) {
      try {
        return await inner.deliver(batch, signal);
      } catch (error) {
        signal.throwIfAborted();
        await tries.failed(asDeliveryError(error), signal);
      }
    }
  });
}

/** The attempts at one batch. */
class Tries {
  readonly #options: RetryOptions;
  readonly #single: boolean;
  /** Failures that may be the event's own fault; an outage or an overload in between counts for nothing. */
  #attempts = 0;
  #firstFailedAtMs: number | undefined;
  /** Failures in a row since the count was last reset; drives the back-off. */
  #streak = 0;

  constructor(options: RetryOptions, batch: Batch<unknown>) {
    this.#options = options;
    this.#single = deliverableItems(batch).length <= 1;
  }

  /** Waits when another attempt is due; throws when it is not. */
  async failed(error: DeliveryError, signal: AbortSignal): Promise<void> {
    if (error.kind === 'transient' || error.kind === 'permanent') this.#attempts += 1;
    this.#firstFailedAtMs ??= this.#options.clock.now();
    if (!(await this.#worthAnotherTry(error, signal))) {
      throw new AttemptsError(error, this.#attempts, this.#firstFailedAtMs);
    }
    this.#options.onRetry?.(error);
    const backoffMs = backoffDelayMs(this.#options.policy, this.#streak++, this.#options.random);
    await this.#options.clock.sleep(Math.max(backoffMs, error.retryAfterMs), signal);
  }

  async #worthAnotherTry(error: DeliveryError, signal: AbortSignal): Promise<boolean> {
    switch (error.kind) {
      case 'permanent':
      case 'fenced':
        return false;
      case 'down':
        this.#absolve();
        return true;
      case 'overloaded':
        return this.#single;
      case 'transient':
        return this.#single ? this.#mayBeTheSink(signal) : this.#attempts < this.#options.policy.attempts;
    }
  }

  /** Whether the failures of a single event may still be the sink's doing. */
  async #mayBeTheSink(signal: AbortSignal): Promise<boolean> {
    if (await this.#sinkIsWell(signal)) return this.#attempts < this.#options.policy.attempts;
    this.#absolve();
    return true;
  }

  /** The sink was at fault: the event has all its attempts before it. */
  #absolve(): void {
    this.#attempts = 0;
  }

  async #sinkIsWell(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.probe(signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}
