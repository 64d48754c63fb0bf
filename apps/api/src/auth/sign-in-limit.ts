import type { Clock } from '@tidemark/kernel';
import { ApiError } from '../http/api-error.ts';
import { AttemptLimit } from './attempt-limit.ts';
import { clientNetwork } from './client-network.ts';

export interface SignInLimitOptions {
  /** Failed sign-ins for one account within the window. */
  readonly max: number;
  readonly windowMs: number;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** One network may try several accounts, since offices and proxies share an address. */
const accountsPerNetwork = 5;

/** Limits guessing: by account against many guesses from many places, by network against a try on each account. */
export class SignInLimit {
  readonly #byAccount: AttemptLimit;
  readonly #byNetwork: AttemptLimit;

  constructor(options: SignInLimitOptions) {
    this.#byAccount = new AttemptLimit(options);
    this.#byNetwork = new AttemptLimit({ ...options, max: options.max * accountsPerNetwork });
  }

  /** Takes an attempt. Throws 429 `TOO_MANY_ATTEMPTS` when there is none left. */
  take(email: string, address: string): void {
    const network = clientNetwork(address);
    refuse(this.#byNetwork.take(network));
    const waitMs = this.#byAccount.take(email);
    if (waitMs > 0) this.#byNetwork.giveBack(network);
    refuse(waitMs);
  }

  /** Gives the attempt back after a sign-in that succeeded, or could not be decided. */
  giveBack(email: string, address: string): void {
    this.#byAccount.giveBack(email);
    this.#byNetwork.giveBack(clientNetwork(address));
  }
}

function refuse(waitMs: number): void {
  if (waitMs === 0) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new ApiError(429, 'TOO_MANY_ATTEMPTS', 'too many attempts', {
    hint: `Try again in ${seconds} seconds.`,
    retryAfterSec: seconds,
  });
}
