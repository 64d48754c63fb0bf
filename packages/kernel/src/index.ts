export { type BackoffPolicy, backoffDelayMs } from './backoff.ts';
export { BoundedQueue, type QueueBounds } from './bounded-queue.ts';
export { type Clock, systemClock } from './clock.ts';
export {
  describeError,
  type ErrorFacts,
  errorCode,
  isTidemarkError,
  TidemarkError,
  type TidemarkErrorOptions,
} from './errors.ts';
export { inOrder, lifecycle, type Service } from './lifecycle.ts';
export { seededRandom } from './random.ts';
export { exitCodes, explainError, type Host, runMain } from './run-main.ts';
export { type Deferred, deferred, TestSignal } from './signals.ts';
