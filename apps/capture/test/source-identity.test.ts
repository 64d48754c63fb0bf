import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type PostgresServer, startPostgresServer } from '@tidemark/embedded-postgres';
import { eventually } from '@tidemark/testkit';
import { Client } from 'pg';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { timelineEnds } from '../src/changefeed/source-identity.ts';
import { type CaptureBench, openCaptureBench, sinkUri, streams } from './support/capture-bench.ts';

suite('the server behind a source', () => {
  let bench: CaptureBench;
  let folder: string;
  let server: PostgresServer;
  let port: number;
  before(async () => {
    bench = await openCaptureBench();
    folder = await mkdtemp(join(tmpdir(), 'tidemark-source-'));
    await chmod(folder, 0o755);
    server = await launch('first');
    port = server.port;
    await query('CREATE TABLE t (id int PRIMARY KEY)');
    await bench.changefeeds.create({
      id: 'moving',
      sinkUri,
      sourceUri: server.url('postgres'),
      config: completeConfig({ filter: { rules: ['postgres.t'] } }),
    });
    await streams(bench.changefeeds, 'moving');
  });
  after(async () => {
    await bench.changefeeds.remove('moving', true);
    await bench.close();
    await server.stop('immediate');
    await rm(folder, { recursive: true, force: true });
  });

  function launch(name: string, at?: number): Promise<PostgresServer> {
    const settings = { fsync: 'off', restore_command: '/bin/false' };
    const options = { dataDir: join(folder, name), throwAway: true, settings };
    return startPostgresServer(at === undefined ? options : { ...options, port: at });
  }
  async function query(sql: string): Promise<void> {
    const client = new Client({ connectionString: server.url('postgres') });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
  /** Ends the server, and starts another one in its place. */
  async function replaceBy(name: string): Promise<void> {
    await server.stop();
    server = await launch(name, port);
  }
  /** What a standby, or a backup, would be that has everything up to now. */
  async function copyTo(name: string): Promise<void> {
    await server.stop();
    execFileSync('cp', ['-a', join(folder, 'first'), join(folder, name)]);
    server = await launch('first', port);
  }
  /** Makes a copy begin a timeline of its own when it is started, as a standby does that is promoted. */
  const promote = (name: string) => writeFile(join(folder, name, 'recovery.signal'), '');

  async function insertAndReceive(id: number): Promise<void> {
    const known = bench.topic.messages.length;
    await query(`INSERT INTO t VALUES (${id})`);
    await bench.received(known + 1);
    const atAck = bench.changefeeds.statuses().get('moving')?.reachedLsn ?? 0n;
    await eventually('the checkpoint is stored', async () => {
      const { checkpointLsn } = await bench.changefeeds.get('moving');
      return checkpointLsn !== null && checkpointLsn >= atAck;
    });
  }
  async function fails(code: string, message: RegExp): Promise<void> {
    const error = await eventually('it has failed', () => {
      const status = bench.changefeeds.statuses().get('moving');
      return status?.state === 'failed' ? (status.error ?? undefined) : undefined;
    });
    assert.equal(error.code, `CDC:${code}`);
    assert.match(error.message, message);
  }

  test('may be a standby that had everything and was promoted', async () => {
    await insertAndReceive(1);
    await bench.changefeeds.pause('moving');
    await copyTo('backup');
    await copyTo('standby');
    await promote('standby');
    await replaceBy('standby');
    await bench.changefeeds.resume('moving');
    await streams(bench.changefeeds, 'moving');
    await insertAndReceive(2);
    assert.equal((await bench.changefeeds.get('moving')).source?.timeline, 2);
  });

  test('may not be a backup from before the checkpoint', async () => {
    await bench.changefeeds.pause('moving');
    await replaceBy('backup');
    // Its log must not end by chance where the standby's ended: copies promoted at one position cannot be told apart.
    await query(`SELECT pg_logical_emit_message(false, 'of the backup', 'alone')`);
    await bench.changefeeds.resume('moving');
    await fails('SOURCE_DIVERGED', /promoted or restored at .*the checkpoint .*initial_copy/);
  });

  test('may not be a backup that has overtaken the checkpoint since', async () => {
    await replaceBy('standby');
    await bench.changefeeds.resume('moving');
    await streams(bench.changefeeds, 'moving');
    await insertAndReceive(3);
    await bench.changefeeds.pause('moving');
    await server.stop();
    await promote('backup');
    server = await launch('backup', port);
    await query(`SELECT pg_switch_wal(); CREATE TABLE later (id int); SELECT pg_switch_wal()`);
    await bench.changefeeds.resume('moving');
    await fails('SOURCE_DIVERGED', /changes were sent that it does not have/);
  });

  test('may not be another server', async () => {
    await replaceBy('second');
    await query(`CREATE TABLE t (id int PRIMARY KEY)`);
    await query(`SELECT pg_create_logical_replication_slot('tidemark_moving', 'pgoutput')`);
    await bench.changefeeds.resume('moving');
    await fails('SOURCE_CHANGED', /another server \(\d+\) than the one/);
  });
});

test('the ends of timelines are read from a history', () => {
  const history = '1\t0/3000110\tno recovery target specified\n\n2\t1/A0\tno recovery target specified\n';
  assert.deepEqual(
    [...timelineEnds(history)],
    [
      [1, 0x3000110n],
      [2, 0x1000000a0n],
    ],
  );
  assert.equal(timelineEnds('').size, 0);
});
