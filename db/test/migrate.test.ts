import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Client, type QueryResultRow } from 'pg';
import { migrate } from '../src/index.ts';
import { migrationLockKey } from '../src/migrate.ts';

describe('migrate', () => {
  let postgres: TestPostgres;
  let directory: string;
  let clients: Client[];

  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    clients = [];
    directory = await mkdtemp(join(tmpdir(), 'tidemark-migrations-'));
    await postgres.query('DROP SCHEMA public CASCADE');
    await postgres.query('CREATE SCHEMA public');
  });
  afterEach(async () => {
    await Promise.all(clients.map(client => client.end()));
    await rm(directory, { recursive: true, force: true });
  });

  async function connect(): Promise<Client> {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    clients.push(client);
    return client;
  }
  const put = (name: string, sql: string) => writeFile(join(directory, name), sql);
  const history = () =>
    postgres.query<QueryResultRow>('SELECT name, sha256 FROM schema_migrations ORDER BY version');

  test('applies the shipped migrations in order and nothing the second time', async () => {
    const seen: string[] = [];
    const first = await migrate(await connect(), { onApplied: name => seen.push(name) });
    assert.equal(first.applied[0], '0001_accounts.sql');
    assert.equal(first.version, first.applied.length);
    assert.deepEqual(seen, first.applied);
    assert.deepEqual(await migrate(await connect()), { applied: [], version: first.version });
    const rows = await history();
    assert.deepEqual(
      rows.map(row => String(row['name'])),
      first.applied,
    );
    assert.match(String(rows[0]?.['sha256']), /^[0-9a-f]{64}$/);
  });

  test('lets one of four concurrent runners do the work', async () => {
    const runners = await Promise.all([connect(), connect(), connect(), connect()]);
    const reports = await Promise.all(runners.map(client => migrate(client)));
    const busy = reports.filter(report => report.applied.length > 0);
    assert.equal(busy.length, 1);
    assert.equal(new Set(reports.map(report => report.version)).size, 1);
  });

  test('leaves nothing of a failing migration behind, and says file and line', async () => {
    await put('0001_a.sql', 'CREATE TABLE a (id integer);');
    await put('0002_b.sql', 'CREATE TABLE b (id integer);\nINSERT INTO b VALUES (1);\nSELECT nonsense;');
    const client = await connect();
    await assert.rejects(migrate(client, { directory }), {
      code: 'MIGRATION_FAILED',
      message: /^migration 0002_b\.sql, line 3 failed: column "nonsense" does not exist/,
    });
    const [found] = await postgres.query(`SELECT to_regclass('a') AS a, to_regclass('b') AS b`);
    assert.deepEqual(found, { a: 'a', b: null });
    assert.equal((await history()).length, 1);

    await put('0002_b.sql', 'CREATE TABLE b (id integer);');
    assert.deepEqual((await migrate(client, { directory })).applied, ['0002_b.sql']);
  });

  test('refuses a file that ends its transaction by itself', async () => {
    await put('0001_a.sql', 'CREATE TABLE a (id integer); COMMIT; CREATE TABLE b (id integer);');
    await assert.rejects(migrate(await connect(), { directory }), {
      code: 'MIGRATION_NOT_ATOMIC',
      message: /0001_a\.sql/,
    });
    assert.deepEqual(await history(), []);
  });

  test('refuses a file that was changed after it ran', async () => {
    await put('0001_a.sql', 'CREATE TABLE a (id integer);');
    const client = await connect();
    await migrate(client, { directory });
    await put('0001_a.sql', 'CREATE TABLE a (id bigint);');
    await assert.rejects(migrate(client, { directory }), {
      code: 'MIGRATION_CHANGED',
      message: 'migration 0001_a.sql was changed after it was applied',
    });
  });

  test('refuses a file that was renamed after it ran', async () => {
    await put('0001_a.sql', 'CREATE TABLE a (id integer);');
    const client = await connect();
    await migrate(client, { directory });
    await rm(join(directory, '0001_a.sql'));
    await put('0001_b.sql', 'CREATE TABLE a (id integer);');
    await assert.rejects(migrate(client, { directory }), { code: 'MIGRATION_CHANGED', message: /renamed/ });
  });

  test('refuses a database that is newer than the files', async () => {
    await put('0001_a.sql', 'CREATE TABLE a (id integer);');
    await put('0002_b.sql', 'CREATE TABLE b (id integer);');
    const client = await connect();
    await migrate(client, { directory });
    await rm(join(directory, '0002_b.sql'));
    await assert.rejects(migrate(client, { directory }), {
      code: 'MIGRATION_MISSING',
      message: /0002_b\.sql/,
    });
  });

  test('refuses a file below those that already ran', async () => {
    await put('0001_a.sql', 'SELECT 1;');
    await put('0002_b.sql', 'SELECT 1;');
    const client = await connect();
    await migrate(client, { directory });
    await client.query('DELETE FROM schema_migrations WHERE version = 1');
    await assert.rejects(migrate(client, { directory }), {
      code: 'MIGRATION_OUT_OF_ORDER',
      message: 'migration 0001_a.sql is new, but the database is already at number 2',
    });
  });

  test('refuses misnamed files, two files of one number and gaps before it touches the database', async () => {
    const client = await connect();
    await put('1_a.sql', 'SELECT 1;');
    await assert.rejects(migrate(client, { directory }), {
      code: 'MIGRATION_MISNAMED',
      message: /^1_a\.sql/,
    });
    await rm(join(directory, '1_a.sql'));
    await put('0001_a.sql', 'SELECT 1;');
    await put('0001_b.sql', 'SELECT 1;');
    await assert.rejects(migrate(client, { directory }), { code: 'MIGRATION_DUPLICATE', message: /0001_b/ });
    await rm(join(directory, '0001_b.sql'));
    await put('0003_c.sql', 'SELECT 1;');
    await assert.rejects(migrate(client, { directory }), { code: 'MIGRATION_MISSING', message: /number 2/ });
    await assert.rejects(migrate(client, { directory: join(directory, 'absent') }), {
      code: 'MIGRATIONS_UNREADABLE',
    });
    const [found] = await postgres.query(`SELECT to_regclass('schema_migrations') AS history`);
    assert.deepEqual(found, { history: null });
  });

  test('gives up waiting for a runner that hangs, and leaves its connection usable', async () => {
    const hanging = await connect();
    await hanging.query('SELECT pg_advisory_lock($1)', [migrationLockKey]);
    const client = await connect();
    await assert.rejects(migrate(client, { lockTimeoutMs: 50 }), { code: 'MIGRATION_LOCK_TIMEOUT' });
    await hanging.query('SELECT pg_advisory_unlock($1)', [migrationLockKey]);
    assert.ok((await migrate(client)).applied.length > 0);
  });

  test('frees the lock of a runner whose connection died', async () => {
    const dying = await connect();
    dying.on('error', () => {});
    await put('0001_a.sql', 'SELECT pg_terminate_backend(pg_backend_pid());');
    await assert.rejects(migrate(dying, { directory }), { code: 'MIGRATION_FAILED' });
    await put('0001_a.sql', 'SELECT 1;');
    assert.equal((await migrate(await connect(), { directory, lockTimeoutMs: 5000 })).version, 1);
  });
});
