import type { ErrorBody } from '@tidemark/contracts';
import { databaseFailure } from '../store/database-failure.ts';
import { ApiError } from './api-error.ts';

/** What a failed request is answered with. */
export interface ErrorAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
  /** True when the failure is nobody's mistake but ours, and its stack belongs into the log. */
  readonly defect: boolean;
}

/** The parts of the framework's errors that are read here. */
interface FrameworkError extends Error {
  readonly code?: string;
  readonly statusCode?: number;
  readonly validation?: readonly Violation[];
  readonly validationContext?: string;
}
interface Violation {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const frameworkErrors: Readonly<Record<string, readonly [code: string, message: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['MALFORMED_JSON', 'the body is not valid JSON'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['MALFORMED_JSON', 'the body is empty'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'the body is too large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json'],
  FST_ERR_BAD_URL: ['BAD_URL', 'the path is not a valid URL'],
  FST_ERR_MAX_PARAM_LENGTH: ['BAD_URL', 'a part of the path is too long'],
};

/** Turns anything that was thrown while a request was handled into the one shape that clients know. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof ApiError) return fromApiError(error);
  const fromDatabase = databaseFailure(error);
  if (fromDatabase) return fromApiError(fromDatabase);
  return isFrameworkError(error) ? fromFramework(error) : defect();
}

function fromApiError(error: ApiError): ErrorAnswer {
  const { statusCode, code, message, hint, field, retryAfterSec } = error;
  const headers = retryAfterSec === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterSec)) };
  const body = { error: { code, message, ...(hint ? { hint } : {}), ...(field ? { field } : {}) } };
  return { statusCode, headers, body, defect: false };
}

function isFrameworkError(error: unknown): error is FrameworkError {
  return error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500;
}

function fromFramework(error: FrameworkError): ErrorAnswer {
  const statusCode = error.statusCode ?? 400;
  const violation = error.validation?.[0];
  if (violation) return fromApiError(invalidInput(violation, error.validationContext ?? 'request'));
  const [code, message] = frameworkErrors[error.code ?? ''] ?? ['BAD_REQUEST', error.message];
  return fromApiError(new ApiError(statusCode, code, message));
}

function invalidInput(violation: Violation, part: string): ApiError {
  const missing = violation.keyword === 'required' ? violation.params['missingProperty'] : undefined;
  const path = violation.instancePath.split('/').filter(step => step !== '');
  if (typeof missing === 'string') path.push(missing);
  const field = path.join('.');
  const subject = field === '' ? `the ${part}` : field;
  const message =
    missing === undefined ? `${subject} ${violation.message ?? 'is not valid'}` : `${subject} is missing`;
  return new ApiError(400, 'INVALID_INPUT', message, field === '' ? {} : { field });
}

function defect(): ErrorAnswer {
  const body = {
    error: {
      code: 'INTERNAL',
      message: 'the request failed because of a defect in the api',
      hint: 'The log of the api has the details under the trace id in the traceparent header of this answer.',
    },
  };
  return { statusCode: 500, headers: {}, body, defect: true };
}
