/** An answer of the api that is not a success, or no answer at all (status 0). */
export class ApiError extends Error {
  readonly status: number;
  /** Stable, for programs: `EMAIL_TAKEN`, `API_UNREACHABLE`… */
  readonly code: string;
  readonly hint: string | undefined;
  /** The form field that was wrong. */
  readonly field: string | undefined;
  /** Seconds until it is worth trying again, when the api says so. */
  readonly retryAfterSec: number | undefined;

  constructor(facts: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    readonly hint?: string | undefined;
    readonly field?: string | undefined;
    readonly retryAfterSec?: number | undefined;
  }) {
    super(facts.message);
    this.name = 'ApiError';
    this.status = facts.status;
    this.code = facts.code;
    this.hint = facts.hint;
    this.field = facts.field;
    this.retryAfterSec = facts.retryAfterSec;
  }

  /** True when asking again cannot help: the request itself was refused. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 408 && this.status !== 429;
  }
}

/** Message and hint of anything that was thrown. */
export function explain(error: unknown): { readonly message: string; readonly hint: string | undefined } {
  const hint = error instanceof ApiError ? error.hint : undefined;
  return { message: asSentence(error instanceof Error ? error.message : String(error)), hint };
}

/** Programs write messages without a capital and without a full stop; people read sentences. */
function asSentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
