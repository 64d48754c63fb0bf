import type { CountedPool } from '@tidemark/observability';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import { Pool } from 'pg';
import type { Schema } from './schema.ts';

export interface DatabaseOptions {
  readonly url: string;
  readonly poolMax: number;
  /** Told about idle connections that broke; the pool replaces them by itself. */
  readonly onConnectionLost: (error: Error) => void;
  /** How long the server may work on a statement, milliseconds; less than a stopping service is given to drain. */
  readonly statementTimeoutMs?: number;
  /** How long an answer may take in all, milliseconds; it only runs out when the server or the way to it is dead. */
  readonly answerTimeoutMs?: number;
}

/** The database as the api uses it. Opening it connects to nothing: the first query does. */
export interface Database {
  readonly queries: Kysely<Schema>;
  /** Resolves when the database answers. */
  check(): Promise<void>;
  close(): Promise<void>;
  /** What the connections do. */
  readonly pool: CountedPool;
}

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: options.url,
    max: options.poolMax,
    connectionTimeoutMillis: 3000,
    idleTimeoutMillis: 30_000,
    statement_timeout: options.statementTimeoutMs ?? 5000,
    query_timeout: options.answerTimeoutMs ?? 6500,
    keepAlive: true,
    application_name: 'tidemark-api',
  });
  pool.on('error', options.onConnectionLost);
  // A connection that breaks in the middle of a query fails the query and emits the error as well, to which the pool
  // listens only while the connection is idle: unheard, it would end the process.
  pool.on('connect', client => client.on('error', () => {}));
  const queries = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: withoutSilentClients(pool) }) });
  return {
    queries,
    async check() {
      await sql`SELECT 1`.execute(queries);
    },
    close: () => queries.destroy(),
    pool,
  };
}

/**
 * Throws away connections that owe an answer. `pg` gives up waiting but keeps the connection, and whoever got it next
 * would wait behind a question that is never answered.
 */
function withoutSilentClients(pool: Pool): PostgresPool {
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect();
      let owesAnswer = false;
      const query = async (text: string, values: unknown[]) => {
        try {
          return await client.query(text, values);
        } catch (error) {
          owesAnswer ||= isAnswerTimeout(error);
          throw error;
        }
      };
      // Cursors, the other kind of query, are not used here.
      return {
        query: query as unknown as PostgresPoolClient['query'],
        release: () => client.release(owesAnswer),
      };
    },
    end: () => pool.end(),
  };
}

/** The error carries no code. */
function isAnswerTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}
