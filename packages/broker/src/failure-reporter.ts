import { describeError, errorCode } from '@tidemark/kernel';
import type { BrokerLog } from './log.ts';
import { isStorageFailure } from './storage/storage-failure.ts';
import { errorCodes, ProtocolError } from './wire/error-codes.ts';

/** The same trouble is told at most this often. */
const REPEAT_MS = 10_000;

/** Tells the operator of failures without filling the log when every request meets the same one. */
export class FailureReporter {
  readonly #logger: BrokerLog;
  readonly #monotonicMs: () => number;
  readonly #toldAtMs = new Map<string, number>();

  constructor(logger: BrokerLog, monotonicMs: () => number) {
    this.#logger = logger;
    this.#monotonicMs = monotonicMs;
  }

  /** The error code to answer; what clients did not cause is told to the operator. */
  codeOf(error: unknown): number {
    if (error instanceof ProtocolError) return error.errorCode;
    this.#report(error);
    return isStorageFailure(error) ? errorCodes.kafkaStorageError : errorCodes.unknownServerError;
  }

  #report(error: unknown): void {
    const code = errorCode(error) ?? 'unexpected';
    if (!isStorageFailure(error)) {
      this.#logger.error({ error }, 'a request failed because of a defect');
      return;
    }
    const nowMs = this.#monotonicMs();
    if (nowMs - (this.#toldAtMs.get(code) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return;
    this.#toldAtMs.set(code, nowMs);
    const facts = { code, reason: describeError(error) };
    this.#logger.error(facts, 'the disk refuses writes: producers are refused, readers are served');
  }
}
