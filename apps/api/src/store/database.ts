import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import type { Schema } from './schema.ts';

export interface DatabaseOptions {
  readonly url: string;
  readonly poolMax: number;
  /** Told about idle connections that broke; the pool replaces them by itself. */
  readonly onConnectionLost: (error: Error) => void;
}

/** The database as the api uses it. Opening it connects to nothing: the first query does. */
export interface Database {
  readonly queries: Kysely<Schema>;
  /** Resolves when the database answers. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new Pool({
    connectionString: options.url,
    max: options.poolMax,
    connectionTimeoutMillis: 3000,
    idleTimeoutMillis: 30_000,
    // The server ends what takes longer than any client is willing to wait; the client notices a dead server.
    statement_timeout: 10_000,
    query_timeout: 12_000,
    keepAlive: true,
    application_name: 'tidemark-api',
  });
  pool.on('error', options.onConnectionLost);
  // A connection that breaks in the middle of a query fails the query and emits the error as well, to which the pool
  // listens only while the connection is idle: unheard, it would end the process.
  pool.on('connect', client => client.on('error', () => {}));
  const queries = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return {
    queries,
    async check() {
      await sql`SELECT 1`.execute(queries);
    },
    close: () => queries.destroy(),
  };
}
