/** Exponential back-off with jitter. All durations in milliseconds. */
export interface BackoffPolicy {
  /** Delay before the first retry, before jitter. */
  readonly baseMs: number;
  /** Upper bound of a delay before jitter. */
  readonly capMs: number;
}

/**
 * Delay before retry number `attempt` (0 = first retry): min(base·2^attempt, cap) × (0.5 … 1.5).
 * The jitter keeps many clients that failed together from retrying together.
 * @param random uniform in [0, 1); passed in so that a seed replays the same delays
 */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number, random: () => number): number {
  const exponent = Math.min(attempt, 52); // beyond that 2^n leaves the exact integers and the cap has long won
  return Math.min(policy.baseMs * 2 ** exponent, policy.capMs) * (0.5 + random());
}
