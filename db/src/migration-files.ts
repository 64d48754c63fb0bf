import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, TidemarkError } from '@tidemark/kernel';

/** A migration as it lies on disk. */
export interface Migration {
  /** The number in front of the name; 1, 2, 3 … without gaps. */
  readonly version: number;
  /** File name, such as `0001_accounts.sql`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file's bytes in hexadecimal, as `sha256sum` prints it. */
  readonly sha256: string;
}

/** Folder of the migrations for PostgreSQL that ship with Tidemark. */
export const postgresMigrations: string = fileURLToPath(new URL('../migrations/postgres', import.meta.url));

const namePattern = /^(\d{4})_[a-z0-9_]+\.sql$/;

/**
 * Reads the migrations of a folder in the order in which they apply. Files that do not end in `.sql` are ignored.
 * @throws TidemarkError `MIGRATIONS_UNREADABLE`, `MIGRATION_MISNAMED`, `MIGRATION_DUPLICATE` or `MIGRATION_MISSING`
 */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await listFiles(directory)).filter(name => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(names.map(name => readMigration(directory, name)));
  migrations.forEach((migration, index) => checkNumber(migration, index + 1));
  return migrations;
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    throw new TidemarkError('MIGRATIONS_UNREADABLE', `the migrations folder ${directory} cannot be read`, {
      cause: error,
      hint:
        errorCode(error) === 'ENOENT'
          ? 'Reinstall Tidemark, or name an existing folder.'
          : 'Check its permissions.',
    });
  }
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const match = namePattern.exec(name);
  if (!match) {
    throw new TidemarkError('MIGRATION_MISNAMED', `${name} is not the name of a migration`, {
      hint: 'Name it NNNN_what_it_does.sql, with four digits and lower-case letters.',
      facts: { name },
    });
  }
  const bytes = await readFile(join(directory, name));
  return {
    version: Number(match[1]),
    name,
    sql: bytes.toString('utf8'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function checkNumber(migration: Migration, expected: number): void {
  const { name, version } = migration;
  if (version === expected) return;
  if (version < expected) {
    throw new TidemarkError('MIGRATION_DUPLICATE', `${name} has a number that another migration has too`, {
      hint: 'Give the newer of the two the next free number.',
      facts: { name, version },
    });
  }
  throw new TidemarkError('MIGRATION_MISSING', `migration number ${expected} is missing before ${name}`, {
    hint: 'Bring the missing file back; migrations are numbered 1, 2, 3 … without gaps.',
    facts: { name, version, expected },
  });
}
