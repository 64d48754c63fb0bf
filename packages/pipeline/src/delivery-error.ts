import { TidemarkError, type TidemarkErrorOptions } from '@tidemark/kernel';

/**
 * What a failed delivery means for what happens next. This classification is what keeps an outage out of the
 * dead letters: only `permanent`, and `transient` with a sink that is demonstrably well, ever dead-letter an event.
 */
export type FailureKind =
  /** Trying again may help: deadlock, serialization failure, a full connection pool. */
  | 'transient'
  /** This event will never be accepted: a constraint, a type. */
  | 'permanent'
  /** The sink answers nobody. Wait; nothing is wrong with the event. */
  | 'down'
  /** The batch took longer than it may. A smaller one can succeed; a single event waits. */
  | 'overloaded'
  /** Another consumer owns the partition now. Nothing of this batch has taken effect. */
  | 'fenced';

export interface DeliveryErrorOptions extends TidemarkErrorOptions {
  /** SQLSTATE, HTTP status or the like; what dead letters are grouped by. */
  readonly errorClass?: string;
  /** The sink asks not to be tried again earlier than that. */
  readonly retryAfterMs?: number;
}

/** A delivery that failed, classified by the sink. */
export class DeliveryError extends TidemarkError {
  readonly kind: FailureKind;
  readonly errorClass: string;
  readonly retryAfterMs: number;

  constructor(kind: FailureKind, message: string, options: DeliveryErrorOptions = {}) {
    super(`DELIVERY_${kind.toUpperCase()}`, message, options);
    this.name = 'DeliveryError';
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.errorClass = options.errorClass ?? nameOf(options.cause) ?? this.name;
  }
}

/** A delivery that was given up after several attempts; its cause is the last failure. */
export class AttemptsError extends DeliveryError {
  readonly attempts: number;
  readonly firstFailedAtMs: number;

  constructor(last: DeliveryError, attempts: number, firstFailedAtMs: number) {
    super(last.kind, last.message, { cause: last, errorClass: last.errorClass });
    this.attempts = attempts;
    this.firstFailedAtMs = firstFailedAtMs;
  }
}

/** Any error as a DeliveryError. One that no sink has classified is tried again before anything is concluded. */
export function asDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DeliveryError('transient', message, { cause: error });
}

function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}
