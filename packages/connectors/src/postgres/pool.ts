import { performance } from 'node:perf_hooks';
import { DeliveryError } from '@tidemark/pipeline';
import { Pool as PgPool, type PoolClient, type QueryResult, type QueryResultRow } from 'pg';

export interface PoolOptions {
  readonly databaseUrl: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Connections, at most. Two to four saturate a small machine. */
  readonly connections: number;
  /** Time that one statement may take, milliseconds; a batch that takes longer is delivered in smaller ones. */
  readonly statementTimeoutMs?: number;
  /** An idle connection was lost; the next use opens another. */
  readonly onLost?: (error: unknown) => void;
  /** A named statement of a transaction was answered. */
  readonly onQuery?: (name: string, durationMs: number) => void;
}

/** A pool of `pg` that knows whom to tell about statements and lost connections. */
export type Pool = PgPool & Pick<PoolOptions, 'onQuery' | 'onLost'>;

/** Grace of the client over the server's own limits: when it is used up the connection is considered dead. */
const graceMs = 5000;

/**
 * Connections for sinks, with limits on everything that could hang: a server that stops answering, a lock that is
 * never released, and our own transaction when this process is stopped in the middle of it, so that whoever takes the
 * partition over is not blocked by a sleeper (PostgreSQL, "Client Connection Defaults").
 */
export function createPool(options: PoolOptions): Pool {
  const { statementTimeoutMs = 30_000 } = options;
  const pool = new PgPool({
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.connections,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    lock_timeout: Math.min(statementTimeoutMs, 10_000),
    idle_in_transaction_session_timeout: 10_000,
    query_timeout: statementTimeoutMs + graceMs,
  });
  pool.on('error', error => options.onLost?.(error));
  const { onQuery, onLost } = options;
  return Object.assign(pool, { ...(onQuery && { onQuery }), ...(onLost && { onLost }) });
}

/** A statement that is prepared once for each connection under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** A connection inside a transaction. */
export interface Transaction {
  query<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>>;
}

/**
 * Runs `work` in a transaction and commits it. A connection that is lost during COMMIT leaves the outcome unknown:
 * whoever repeats has to compare the stored position first.
 */
export async function inTransaction<T>(
  pool: Pool,
  signal: AbortSignal,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = await pool.connect();
  if (signal.aborted) {
    client.release();
    throw signal.reason;
  }
  // A connection that breaks reports it here as well as to the statement in progress; unheard it ends the process.
  const broken = (error: unknown) => pool.onLost?.(error);
  client.on('error', broken);
  // Ending the connection is the only way to abandon a statement that does not come back.
  const abandon = () => void client.end().catch(() => {});
  signal.addEventListener('abort', abandon, { once: true });
  let usable = false;
  try {
    const result = await attempt(client, timed(client, pool.onQuery), work);
    usable = true;
    return result;
  } catch (error) {
    usable = !signal.aborted && (await rolledBack(client));
    throw error;
  } finally {
    signal.removeEventListener('abort', abandon);
    client.off('error', broken);
    client.release(!usable);
  }
}

async function attempt<T>(
  client: PoolClient,
  transaction: Transaction,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  await client.query('BEGIN');
  const result = await work(transaction);
  const committed = await client.query('COMMIT');
  // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
  if (committed.command !== 'COMMIT') throw new DeliveryError('transient', 'the transaction was rolled back');
  return result;
}

function timed(client: PoolClient, onQuery: PoolOptions['onQuery']): Transaction {
  return {
    async query<Row extends QueryResultRow>(statement: Statement) {
      const startedMs = performance.now();
      const result = await client.query<Row>(statement);
      onQuery?.(statement.name, performance.now() - startedMs);
      return result;
    },
  };
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

/** Rejects unless the database answers and takes writes. */
export async function probe(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  if (rows[0]?.standby) throw new DeliveryError('down', 'the database is a standby and takes no writes');
}
