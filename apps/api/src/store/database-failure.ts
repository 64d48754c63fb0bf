import { errorCode } from '@tidemark/kernel';
import { ApiError } from '../http/api-error.ts';

/** Errors of the operating system that mean that the other side cannot be reached. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** SQLSTATEs (PostgreSQL docs, appendix A): connection, resources, authorization, shutdown. */
const unavailableStates = /^(08...|28...|53...|57P0[1-5])$/;
/** The database, schema, table or column is not there: the migrations have not run. */
const notMigratedStates = new Set(['3D000', '3F000', '42P01', '42703']);
const queryCanceled = '57014';
const notText = '22021';

/** Messages of `pg` for connections that broke or were not to be had; they carry no code. */
const brokenConnection =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered)/;

/** The answer to a failure of the database itself; undefined for every other error. */
export function databaseFailure(error: unknown): ApiError | undefined {
  const code = errorCode(error) ?? '';
  if (code === queryCanceled) {
    return new ApiError(503, 'QUERY_TIMEOUT', 'the database took too long to answer', {
      cause: error,
      hint: 'Narrow the filter, or try again in a moment.',
      retryAfterSec: 5,
    });
  }
  if (code === notText) {
    return new ApiError(400, 'INVALID_INPUT', 'a text holds a character that cannot be stored', {
      cause: error,
      hint: 'Leave out zero bytes.',
    });
  }
  if (notMigratedStates.has(code)) {
    return new ApiError(
      503,
      'DATABASE_NOT_MIGRATED',
      'the database does not have the tables of this version',
      {
        cause: error,
        hint: 'Apply the migrations; `tidemark up` does so.',
        retryAfterSec: 5,
      },
    );
  }
  if (isUnavailable(error, code)) {
    return new ApiError(503, 'DATABASE_UNAVAILABLE', 'the database does not answer', {
      cause: error,
      hint: 'Try again in a moment; the api reconnects by itself.',
      retryAfterSec: 2,
    });
  }
  return undefined;
}

function isUnavailable(error: unknown, code: string): boolean {
  if (networkCodes.has(code) || unavailableStates.test(code)) return true;
  return error instanceof Error && brokenConnection.test(error.message);
}

/** SQLSTATE of a second row with the same unique value. */
export function isUniqueViolation(error: unknown): boolean {
  return errorCode(error) === '23505';
}
