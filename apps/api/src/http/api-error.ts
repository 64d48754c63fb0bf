import { TidemarkError, type TidemarkErrorOptions } from '@tidemark/kernel';

export interface ApiErrorOptions extends TidemarkErrorOptions {
  /** Name of the field of the request that was wrong. */
  readonly field?: string;
  /** Seconds after which it is worth trying again; becomes `Retry-After`. */
  readonly retryAfterSec?: number;
}

/** An expected failure of a request: its HTTP status, and what the client is told. */
export class ApiError extends TidemarkError {
  readonly statusCode: number;
  readonly field: string | undefined;
  readonly retryAfterSec: number | undefined;

  constructor(statusCode: number, code: string, message: string, options: ApiErrorOptions = {}) {
    super(code, message, options);
    this.name = 'ApiError';
    this.statusCode = statusCode;
    this.field = options.field;
    this.retryAfterSec = options.retryAfterSec;
  }
}

/** 404 for a thing that is not, or no longer, there. */
export function notFound(what: string): ApiError {
  return new ApiError(404, 'NOT_FOUND', `there is no ${what}`);
}
