import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@tidemark/db';
import { removeDataDir, startPostgresServer } from '@tidemark/embedded-postgres';
import { Client, escapeIdentifier, type QueryResultRow } from 'pg';
import { eventually } from './eventually.ts';

export interface TestPostgresOptions {
  /** Name of the database to create; `sre_app` unless given. */
  readonly database?: string;
  /** Applies the migrations to the created database. */
  readonly migrated?: boolean;
  /** Server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL of the test's own, on a free port, with logical replication; gone after `stop`. */
export interface TestPostgres {
  /** Connection URL of the created database. */
  readonly url: string;
  readonly port: number;
  /** Runs one statement on a connection of its own. */
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Stops the server as a crash would, and starts it again on the same port and data. */
  crashAndRestart(): Promise<void>;
  /** Stops the server, `kill` as `kill -9` of its main process does; {@link TestPostgres.resume} starts it again. */
  pause(mode?: 'fast' | 'immediate' | 'kill'): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL in about a second. Nothing is flushed to disk (`fsync=off`): killing the process loses nothing,
 * only a power cut would, and tests have none.
 */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const { database = 'sre_app', migrated = false, settings = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-postgres-'));
  await chmod(folder, 0o755); // under root the server runs as another user, who must be able to pass
  const dataDir = join(folder, 'data');
  const launchOptions = { dataDir, throwAway: true, settings: { fsync: 'off', ...settings } };
  let server = await startPostgresServer(launchOptions);
  const { port } = server;
  const url = server.url(database);
  const run = async <Row extends QueryResultRow>(on: string, sql: string, values: unknown[] = []) => {
    const client = new Client({ connectionString: on });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };
  // Sessions outlive a main process that was killed by a moment, and until they are gone no other one can start.
  const resume = async () => {
    server = await eventually('PostgreSQL is up again', () =>
      startPostgresServer({ ...launchOptions, port }),
    );
  };
  const stop = async () => {
    await server.stop('immediate');
    await removeDataDir(dataDir);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await run(server.url('postgres'), `CREATE DATABASE ${escapeIdentifier(database)}`);
    if (migrated) await applyMigrations(url);
  } catch (error) {
    // Nobody else can: the caller got no handle. A server left running would keep the test's process alive as well.
    await stop();
    throw error;
  }
  return {
    url,
    port,
    query: (sql, values) => run(url, sql, values),
    async crashAndRestart() {
      await server.stop('immediate');
      await resume();
    },
    async pause(mode) {
      if (mode === 'kill') process.kill(server.pid, 'SIGKILL');
      await server.stop(mode === 'immediate' ? 'immediate' : 'fast');
    },
    resume,
    stop,
  };
}

async function applyMigrations(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await migrate(client);
  } finally {
    await client.end();
  }
}
