/** The answer to a statement, as far as this package reads it. */
export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/**
 * One connection to PostgreSQL. It must be a connection of its own, not a pool: the lock that keeps two runners apart
 * belongs to the session, and so does an open transaction. `Client` of `pg` fits as it is.
 */
export interface SqlClient {
  /** Runs one statement with parameters, or several statements joined by semicolons without any. */
  query(text: string, values?: unknown[]): Promise<SqlResult>;
}
