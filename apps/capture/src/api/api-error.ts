import { explainError, isTidemarkError } from '@tidemark/kernel';

/** Body of every answer that is not a success (pingcap/ticdc, api/middleware). */
export interface ApiErrorBody {
  readonly error_msg: string;
  readonly error_code: string;
}

export interface ApiError {
  readonly status: number;
  readonly body: ApiErrorBody;
}

/** TiCDC's codes for our errors, with the status that TiCDC gives them: 400 for what the client can mend, else 500. */
const codes: Readonly<Record<string, readonly [code: string, status: number]>> = {
  CHANGEFEED_NOT_FOUND: ['ErrChangeFeedNotExists', 400],
  CHANGEFEED_EXISTS: ['ErrChangeFeedAlreadyExists', 400],
  CHANGEFEED_ID_INVALID: ['ErrAPIInvalidParam', 400],
  CHANGEFEED_UPDATE_REFUSED: ['ErrChangefeedUpdateRefused', 400],
  START_TS_INVALID: ['ErrStartTsBeforeGC', 400],
  TARGET_TS_INVALID: ['ErrTargetTsBeforeStartTs', 400],
  TABLE_INELIGIBLE: ['ErrTableIneligible', 400],
  SINK_URI_INVALID: ['ErrSinkURIInvalid', 400],
  FILTER_RULE_INVALID: ['ErrFilterRuleInvalid', 400],
  COLUMN_SELECTOR_INVALID: ['ErrAPIInvalidParam', 400],
  PARAMETER_INVALID: ['ErrAPIInvalidParam', 400],
  SOURCE_URI_INVALID: ['ErrAPIInvalidParam', 400],
  PREFLIGHT_FAILED: ['ErrAPIInvalidParam', 400],
  SLOT_EXISTS: ['ErrChangeFeedAlreadyExists', 400],
  CAPTURE_NOT_FOUND: ['ErrCaptureNotExist', 400],
  // What TiCDC says when the database that it captures does not answer.
  SOURCE_UNREACHABLE: ['ErrPDEtcdAPIError', 500],
  SERVER_NOT_READY: ['ErrServerIsNotReady', 503],
  CLUSTER_UNHEALTHY: ['ErrClusterIsUnhealthy', 500],
};

export function apiError(error: unknown): ApiError {
  if (isValidationFailure(error)) return answer('ErrAPIInvalidParam', 400, error.message);
  if (!isTidemarkError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return answer('ErrUnknown', statusOf(error), message);
  }
  const [code, status] = codes[error.code] ?? ['ErrUnknown', 500];
  return answer(code, status, explainError(error).replace(/\n\s*/, ' — '));
}

function answer(code: string, status: number, message: string): ApiError {
  return { status, body: { error_msg: `[CDC:${code}]${message}`, error_code: `CDC:${code}` } };
}

/** Fastify's errors about the request (a body that is no JSON, too large, …) carry their status. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? 400 : 500;
}

function isValidationFailure(error: unknown): error is Error {
  return error instanceof Error && 'validation' in error && Array.isArray(error.validation);
}
