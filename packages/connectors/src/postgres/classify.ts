import { errorCode } from '@tidemark/kernel';
import { DeliveryError, type FailureKind } from '@tidemark/pipeline';

/** SQLSTATE codes whose class says too little (PostgreSQL, appendix "PostgreSQL Error Codes"). */
const kindByCode: Readonly<Record<string, FailureKind>> = {
  '40001': 'transient', // serialization_failure
  '40P01': 'transient', // deadlock_detected
  '55P03': 'transient', // lock_not_available
  '57014': 'overloaded', // query_canceled: statement_timeout
  '25006': 'down', // read_only_sql_transaction: a failover happened
  '57P01': 'down', // admin_shutdown
  '57P02': 'down', // crash_shutdown
  '57P03': 'down', // cannot_connect_now
  '57P05': 'down', // idle_session_timeout
  '25P03': 'down', // idle_in_transaction_session_timeout: we were stopped for too long
};

/**
 * What the two-character class of a SQLSTATE means. Data and constraint errors are the event's fault. Missing tables
 * or rights (42), no room (53), I/O errors (58) and the like concern every event, so they are the sink's.
 */
const kindByClass: Readonly<Record<string, FailureKind>> = {
  '08': 'down',
  '21': 'permanent',
  '22': 'permanent',
  '23': 'permanent',
  '28': 'down',
  '3D': 'down',
  '42': 'down',
  '53': 'down',
  '58': 'down',
};

/** What an error of `pg` means for a delivery. Errors without a SQLSTATE come from the connection. */
export function classify(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  const sqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  if (sqlState === undefined) return connectionError(message, code, error);
  const kind = kindByCode[sqlState] ?? kindByClass[sqlState.slice(0, 2)] ?? 'transient';
  return new DeliveryError(kind, message, { cause: error, errorClass: sqlState });
}

/** Messages with which `pg` and `pg-pool` report a connection that is gone or does not come about. */
const connectionTrouble =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Query read timeout|not queryable|Client was closed/i;

function connectionError(message: string, code: string | undefined, cause: unknown): DeliveryError {
  const down = code !== undefined || connectionTrouble.test(message);
  return new DeliveryError(down ? 'down' : 'transient', message, {
    cause,
    ...(code === undefined ? {} : { errorClass: code }),
  });
}
