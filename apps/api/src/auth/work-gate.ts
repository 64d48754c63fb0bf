import { ApiError } from '../http/api-error.ts';

export interface WorkGateBounds {
  /** How many run at once. */
  readonly runningMax: number;
  /** How many may wait for their turn; one more is refused. */
  readonly waitingMax: number;
}

/**
 * Lets a bounded number of expensive jobs run and a bounded number wait, so that a flood of them costs the flooder
 * an error instead of costing everybody the machine.
 */
export class WorkGate {
  readonly #bounds: WorkGateBounds;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(bounds: WorkGateBounds) {
    this.#bounds = bounds;
  }

  /** Runs the job when it is its turn. Rejects with 503 `TOO_BUSY` when too many wait already. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await job();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#bounds.runningMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#bounds.waitingMax) {
      throw new ApiError(503, 'TOO_BUSY', 'too many sign-ins are being checked', {
        hint: 'Try again in a moment.',
        retryAfterSec: 1,
      });
    }
    await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  /** A waiting job takes the place over, so that `#running` does not change. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
