import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import {
  freePort,
  type PostgresServer,
  prepareCluster,
  removeDataDir,
  startPostgresServer,
} from '../src/index.ts';

const query = async (url: string, sql: string) => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
};

describe('embedded PostgreSQL', () => {
  let folder: string;
  let server: PostgresServer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-embedded-'));
    await chmod(folder, 0o755);
    server = await startPostgresServer({ dataDir: join(folder, 'data'), throwAway: true });
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('accepts connections with logical replication switched on', async () => {
    const rows = await query(server.url('postgres'), 'SHOW wal_level');
    assert.deepEqual(rows, [{ wal_level: 'logical' }]);
  });

  test('keeps its data over a crash', async () => {
    await query(server.url('postgres'), 'CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)');
    await server.stop('immediate');
    server = await startPostgresServer({ dataDir: join(folder, 'data') });
    assert.deepEqual(await query(server.url('postgres'), 'SELECT id FROM kept'), [{ id: 7 }]);
  });

  test('stops a server that was left running on the folder before it starts another', async () => {
    const stray = server;
    server = await startPostgresServer({ dataDir: join(folder, 'data') });
    await stray.stop(); // resolves at once: the process has ended
    assert.notEqual(server.pid, stray.pid);
  });

  test('says that an initialised cluster is there', async () => {
    await server.stop();
    const spec = await prepareCluster({
      dataDir: join(folder, 'data'),
      host: '127.0.0.1',
      port: await freePort('127.0.0.1'),
      user: 'tidemark',
      password: 'tidemark',
    });
    assert.equal(spec.initialised, false);
  });
});

test('under root, a folder that the server may not enter is served from elsewhere', {
  skip: process.getuid?.() !== 0 && 'not root',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-closed-'));
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const dataDir = join(closed, 'data');
  const server = await startPostgresServer({ dataDir, throwAway: true });
  try {
    assert.deepEqual(await query(server.url('postgres'), 'SELECT 1 AS one'), [{ one: 1 }]);
    assert.match(await readlink(dataDir), /^\/var\/lib\/tidemark\/data-/);
  } finally {
    await server.stop();
    await removeDataDir(dataDir);
    await rm(folder, { recursive: true, force: true });
  }
});
