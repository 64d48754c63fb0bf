import { describeError, errorCode, isTidemarkError, TidemarkError } from '@tidemark/kernel';
import { type Migration, postgresMigrations, readMigrations } from './migration-files.ts';
import { pendingMigrations, readHistory, recordMigration } from './migration-history.ts';
import type { SqlClient } from './sql-client.ts';

export interface MigrateOptions {
  /** Folder of numbered files; those that ship with Tidemark unless given. */
  readonly directory?: string;
  /** How long to wait for another runner to finish, milliseconds; a minute unless given. */
  readonly lockTimeoutMs?: number;
  /** Called after each migration was committed, for progress. */
  readonly onApplied?: (name: string) => void;
}

export interface MigrationReport {
  /** Names of the migrations that this run applied, in order. */
  readonly applied: readonly string[];
  /** Number of the newest migration in the database after this run; 0 when there is none. */
  readonly version: number;
}

/** Key of the advisory lock that runners of one database share; any fixed number would do. */
export const migrationLockKey = 7_120_926_314_501_846n;

/** SQLSTATE of a statement that waited longer than `lock_timeout` (PostgreSQL docs, appendix A). */
const lockNotAvailable = '55P03';

/**
 * Brings the database to the newest migration. Each migration is a transaction of its own together with its line in
 * `schema_migrations`, so a failure leaves the database exactly at the migration before. Running it again changes
 * nothing; several runners at once wait for each other.
 * @throws TidemarkError `MIGRATION_*` when files and history disagree, `MIGRATION_FAILED` when a statement fails, `MIGRATION_NOT_ATOMIC`
 * when a file commits on its own,
 * `MIGRATION_LOCK_TIMEOUT` when another runner does not finish in time
 */
export async function migrate(client: SqlClient, options: MigrateOptions = {}): Promise<MigrationReport> {
  const files = await readMigrations(options.directory ?? postgresMigrations);
  return withLock(client, options.lockTimeoutMs ?? 60_000, async () => {
    const pending = pendingMigrations(files, await readHistory(client));
    for (const migration of pending) {
      await apply(client, migration);
      options.onApplied?.(migration.name);
    }
    return { applied: pending.map(({ name }) => name), version: files.at(-1)?.version ?? 0 };
  });
}

async function withLock<T>(client: SqlClient, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  await takeLock(client, timeoutMs);
  try {
    return await work();
  } finally {
    // A connection that broke has lost its lock with its session; the error that broke it is the one to report.
    await client.query('SELECT pg_advisory_unlock($1)', [migrationLockKey]).catch(() => {});
  }
}

async function takeLock(client: SqlClient, timeoutMs: number): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SELECT set_config('lock_timeout', $1, true)`, [`${timeoutMs}ms`]);
    // A session lock outlives the transaction that took it, which is only here to scope the timeout.
    await client.query('SELECT pg_advisory_lock($1)', [migrationLockKey]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    if (errorCode(error) !== lockNotAvailable) throw error;
    throw new TidemarkError(
      'MIGRATION_LOCK_TIMEOUT',
      `another program has been migrating this database for more than ${timeoutMs} ms`,
      { hint: 'Let it finish, or end it if it hangs, and run this again.', facts: { timeoutMs } },
    );
  }
}

async function apply(client: SqlClient, migration: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    const before = await transactionId(client);
    await client.query(migration.sql);
    if ((await transactionId(client)) !== before) throw notAtomic(migration);
    await recordMigration(client, migration);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw isTidemarkError(error) ? error : failed(migration, error);
  }
}

async function transactionId(client: SqlClient): Promise<unknown> {
  const { rows } = await client.query('SELECT pg_current_xact_id()::text AS id');
  return rows[0]?.['id'];
}

function notAtomic({ name }: Migration): TidemarkError {
  return new TidemarkError('MIGRATION_NOT_ATOMIC', `migration ${name} ends its transaction by itself`, {
    hint: 'Take BEGIN, COMMIT and ROLLBACK out of it, and undo by hand what it has already committed.',
    facts: { name },
  });
}

function failed(migration: Migration, error: unknown): TidemarkError {
  const line = lineOf(migration.sql, error);
  const place = line === undefined ? migration.name : `${migration.name}, line ${line}`;
  return new TidemarkError('MIGRATION_FAILED', `migration ${place} failed: ${describeError(error)}`, {
    hint: 'The database is as it was before this migration. Correct the cause and run it again.',
    facts: { name: migration.name, line, sqlState: errorCode(error) },
  });
}

/** PostgreSQL says where a statement went wrong as a position in characters from 1 (protocol field `P`). */
function lineOf(sql: string, error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('position' in error)) return undefined;
  const position = Number(error.position);
  if (!Number.isInteger(position) || position < 1) return undefined;
  return sql.slice(0, position - 1).split('\n').length;
}
