import { type BackoffPolicy, backoffDelayMs, type Clock } from '@tidemark/kernel';
import { asDeliveryError } from './delivery-error.ts';
import { type Receipt, type Sink, wrapDeliver } from './sink.ts';

/** closed: deliveries pass. open: none does. half-open: one does, as a probe. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Failures of the sink in a row, over all partitions, that open the breaker. */
  readonly failures: number;
  /** How long it stays open before a probe; grows with each probe that fails. */
  readonly cooldown: BackoffPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onState?: (state: BreakerState) => void;
}

/**
 * A circuit breaker over a sink. Deliveries that meet an open breaker wait instead of failing: their partitions' queues
 * fill, intake pauses, the group membership goes on, and nothing is dead-lettered. After a cooldown one delivery
 * goes through as a probe; when it succeeds everybody does.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #probesFailed = 0;
  #cooledDown = false;
  #waiters: (() => void)[] = [];

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  guard<E>(inner: Sink<E>): Sink<E> {
    return wrapDeliver(inner, async (batch, signal) => {
      const probing = await this.#admit(signal);
      return this.#observe(() => inner.deliver(batch, signal), probing, signal);
    });
  }

  /** Resolves when this delivery may pass; true when it is the probe. */
  async #admit(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#state === 'closed') return false;
      if (this.#state === 'open' && this.#cooledDown) {
        this.#change('half-open');
        return true;
      }
      await this.#stateChange(signal);
    }
  }

  async #observe(deliver: () => Promise<Receipt>, probing: boolean, signal: AbortSignal): Promise<Receipt> {
    try {
      const receipt = await deliver();
      this.#succeeded();
      return receipt;
    } catch (error) {
      const { kind, retryAfterMs } = asDeliveryError(error);
      if (kind === 'down' || (probing && signal.aborted)) this.#failed(probing, retryAfterMs);
      else if (!signal.aborted) this.#succeeded();
      throw error;
    }
  }

  /** The sink answered, if only with a refusal. */
  #succeeded(): void {
    this.#failures = 0;
    this.#probesFailed = 0;
    if (this.#state !== 'closed') this.#change('closed');
  }

  #failed(probing: boolean, retryAfterMs: number): void {
    this.#failures += 1;
    if (probing) this.#probesFailed += 1;
    if (this.#state === 'closed' && this.#failures < this.#options.failures) return;
    if (this.#state === 'open') return;
    this.#open(retryAfterMs);
  }

  #open(retryAfterMs: number): void {
    this.#cooledDown = false;
    this.#change('open');
    const { clock, cooldown, random } = this.#options;
    const cooldownMs = Math.max(retryAfterMs, backoffDelayMs(cooldown, this.#probesFailed, random));
    void clock.sleep(cooldownMs).then(() => {
      this.#cooledDown = true;
      this.#wake();
    });
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#options.onState?.(state);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #stateChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiters = this.#waiters.filter(waiter => waiter !== wake);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiters.push(wake);
    });
  }
}
