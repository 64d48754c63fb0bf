import { TidemarkError } from '@tidemark/kernel';
import type { Migration } from './migration-files.ts';
import type { SqlClient } from './sql-client.ts';

/** What the database remembers of a migration that it took. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
}

const createHistory = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`;

/** What was applied so far, oldest first; makes the table on first use. The caller holds the lock. */
export async function readHistory(client: SqlClient): Promise<readonly AppliedMigration[]> {
  // Asked first, because CREATE … IF NOT EXISTS answers every later run with a notice.
  const { rows: found } = await client.query(
    `SELECT to_regclass('schema_migrations') IS NOT NULL AS present`,
  );
  if (found[0]?.['present'] !== true) await client.query(createHistory);
  const { rows } = await client.query('SELECT version, name, sha256 FROM schema_migrations ORDER BY version');
  return rows.map(row => ({
    version: Number(row['version']),
    name: String(row['name']),
    sha256: String(row['sha256']),
  }));
}

/** Remembers a migration, in the transaction that applied it. */
export async function recordMigration(client: SqlClient, migration: Migration): Promise<void> {
  await client.query('INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)', [
    migration.version,
    migration.name,
    migration.sha256,
  ]);
}

/**
 * The migrations that are still to be applied.
 * @throws TidemarkError when the files and the history tell different stories: `MIGRATION_CHANGED` for a file that
 * was edited or renamed after it ran, `MIGRATION_MISSING` for one that is gone, `MIGRATION_OUT_OF_ORDER` for one that
 * was put in below those that already ran
 */
export function pendingMigrations(
  files: readonly Migration[],
  history: readonly AppliedMigration[],
): readonly Migration[] {
  const fileOf = new Map(files.map(file => [file.version, file]));
  for (const applied of history) checkUnchanged(applied, fileOf.get(applied.version));
  const appliedVersions = new Set(history.map(applied => applied.version));
  const newest = Math.max(0, ...appliedVersions);
  const pending = files.filter(file => !appliedVersions.has(file.version));
  for (const file of pending) checkOrder(file, newest);
  return pending;
}

function checkUnchanged(applied: AppliedMigration, file: Migration | undefined): void {
  if (!file) {
    throw new TidemarkError(
      'MIGRATION_MISSING',
      `the database has migration ${applied.name}, which this version of Tidemark does not know`,
      {
        hint: 'Use the version that the database was last used with, or a newer one.',
        facts: { ...applied },
      },
    );
  }
  if (file.name === applied.name && file.sha256 === applied.sha256) return;
  const what =
    file.name === applied.name
      ? `migration ${file.name} was changed after it was applied`
      : `migration ${applied.name} was renamed to ${file.name} after it was applied`;
  throw new TidemarkError('MIGRATION_CHANGED', what, {
    hint: 'Restore the file as it was and put the new statements into a new migration.',
    facts: { version: file.version, applied: applied.sha256, found: file.sha256 },
  });
}

function checkOrder(file: Migration, newest: number): void {
  if (file.version > newest) return;
  throw new TidemarkError(
    'MIGRATION_OUT_OF_ORDER',
    `migration ${file.name} is new, but the database is already at number ${newest}`,
    {
      hint: 'Give it the next free number: migrations only go forward.',
      facts: { version: file.version, newest },
    },
  );
}
