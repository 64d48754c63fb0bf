import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { decode } from '@tidemark/canal-json';
import { eventually } from '@tidemark/testkit';
import { Client } from 'pg';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { startStatement } from '../src/protocol/replication-connection.ts';
import {
  type CaptureBench,
  openCaptureBench,
  openChangefeeds,
  sink,
  sinkUri,
} from './support/capture-bench.ts';
import { MemoryTopic } from './support/memory-topic.ts';

const rules = ['sre_app.wide', 'sre_app.whole', 'sre_app.small'];

suite('transactions that are streamed before they end', () => {
  let bench: CaptureBench;
  let first: Client;
  let second: Client;
  before(async () => {
    const outbox = { bytesMax: 200_000, batchMessagesMax: 100, batchBytesMax: 100_000 };
    bench = await openCaptureBench({ outbox }, { logical_decoding_work_mem: '64kB' });
    await bench.postgres.query(`
      CREATE TABLE wide (id int PRIMARY KEY, v text);
      CREATE TABLE whole (id int PRIMARY KEY, v text);
      ALTER TABLE whole REPLICA IDENTITY FULL;
      CREATE TABLE small (id int PRIMARY KEY)`);
    await bench.create('streamed', rules);
    first = new Client({ connectionString: bench.postgres.url });
    second = new Client({ connectionString: bench.postgres.url });
    await first.connect();
    await second.connect();
  });
  after(async () => {
    await first.end();
    await second.end();
    await bench.close();
  });
  beforeEach(async () => {
    bench.topic.messages.length = 0;
    await bench.postgres.query('TRUNCATE wide, whole, small');
    await bench.received(3);
    bench.topic.messages.length = 0;
  });

  const folder = () => join(bench.dataDir, 'transactions', 'streamed');
  const spools = () => readdirSync(folder());
  /** As many rows as make more than is kept in memory. */
  const insert = (from: number, table = 'wide') =>
    `INSERT INTO ${table} SELECT g, repeat('x', 1000) FROM generate_series(${from}, ${from + 399}) g`;
  const ids = () => bench.topic.rows().map(({ data }) => Number(data['id']));
  const range = (from: number) => Array.from({ length: 400 }, (_, at) => from + at);
  const indexes = () => bench.topic.messages.map(({ changeId }) => Number(changeId.split(':').at(-1)));
  async function spooled(count: number): Promise<void> {
    await eventually(`${count} transactions are on disk`, () => spools().length === count);
  }

  test('stand at their commit, whole, however they interleave', async () => {
    await first.query('BEGIN');
    await first.query(insert(1));
    await second.query('BEGIN');
    await second.query(insert(1001));
    await spooled(2);
    await first.query(insert(401));
    await bench.postgres.query('INSERT INTO small VALUES (7)');
    await bench.received(1);
    assert.equal(bench.topic.messages.length, 1);
    await second.query('COMMIT');
    await first.query('COMMIT');
    await bench.received(1201);
    assert.deepEqual(ids(), [7, ...range(1001), ...range(1), ...range(401)]);
    assert.deepEqual(indexes(), [0, ...range(0), ...range(0), ...range(400)]);
    const commits = [...new Set(bench.topic.rows().map(({ commitTs }) => commitTs ?? 0n))];
    assert.equal(commits.length, 3);
    assert.ok((commits[0] ?? 0n) < (commits[1] ?? 0n) && (commits[1] ?? 0n) < (commits[2] ?? 0n));
    await spooled(0);
  });

  test('leave nothing when they are rolled back', async () => {
    await first.query('BEGIN');
    await first.query(insert(1));
    await spooled(1);
    const shown = async (name: string) => {
      const line = new RegExp(`^${name}\\{changefeed="streamed"\\} (\\d+)$`, 'm');
      return Number(line.exec((await bench.metrics.expose()).body)?.[1]);
    };
    await eventually('the metric tells of them', async () => (await shown('capture_spool_bytes')) > 200_000);
    assert.ok((await shown('capture_spooled_bytes_total')) >= (await shown('capture_spool_bytes')));
    await first.query('ROLLBACK');
    await spooled(0);
    await eventually('no bytes are left', async () => (await shown('capture_spool_bytes')) === 0);
    assert.ok((await shown('capture_spooled_bytes_total')) > 200_000);
    await bench.postgres.query('INSERT INTO small VALUES (1)');
    await bench.received(1);
    assert.deepEqual(ids(), [1]);
  });

  test('lose exactly the parts that were rolled back to a savepoint', async () => {
    await first.query('BEGIN');
    await first.query(insert(1));
    await first.query('SAVEPOINT a');
    await first.query(insert(1001));
    await first.query('SAVEPOINT b');
    await first.query(insert(2001));
    await first.query('RELEASE b');
    await first.query(insert(3001));
    await spooled(1);
    await first.query('ROLLBACK TO a');
    await first.query(insert(2001));
    await first.query('SAVEPOINT c');
    await first.query(insert(4001));
    await first.query('COMMIT');
    await bench.received(1200);
    assert.deepEqual(ids(), [...range(1), ...range(2001), ...range(4001)]);
    assert.deepEqual(
      indexes(),
      Array.from({ length: 1200 }, (_, at) => at),
    );
  });

  test('keep each row in the columns that the table had then, also when the change was rolled back', async () => {
    await first.query('BEGIN');
    await first.query(insert(1, 'whole'));
    await first.query('SAVEPOINT a');
    await first.query('ALTER TABLE whole ADD COLUMN extra int DEFAULT 5');
    await first.query(insert(1001, 'whole'));
    await spooled(1);
    await first.query('ROLLBACK TO a');
    await first.query(insert(2001, 'whole'));
    await first.query('ALTER TABLE whole ADD COLUMN other int DEFAULT 6');
    await first.query(insert(3001, 'whole'));
    await first.query('COMMIT');
    await bench.postgres.query('UPDATE whole SET other = 7 WHERE id = 1');
    await bench.received(1201);
    const columns = bench.topic.rows().map(({ data }) => Object.keys(data).join());
    assert.deepEqual(columns, [
      ...range(0).map(() => 'id,v'),
      ...range(0).map(() => 'id,v'),
      ...range(0).map(() => 'id,v,other'),
      'id,v,other',
    ]);
    assert.equal(bench.topic.rows().at(-1)?.old?.['other'], '6');
    await bench.postgres.query('ALTER TABLE whole DROP COLUMN other');
  });

  test('do not bring back how a table looked before somebody else altered it', async () => {
    await first.query('BEGIN');
    await first.query(insert(1));
    await first.query('SAVEPOINT a');
    await first.query(insert(1, 'whole'));
    await eventually('both tables are on disk', () => {
      const [name = ''] = spools();
      return statSync(join(folder(), name)).size > 500_000;
    });
    await first.query('ROLLBACK TO a'); // gives up the lock on the table
    await bench.postgres.query('ALTER TABLE whole ADD COLUMN later int');
    await bench.postgres.query(`INSERT INTO whole VALUES (1, 'b', 2)`);
    await bench.received(1);
    await first.query('COMMIT');
    await bench.postgres.query(`INSERT INTO whole VALUES (2, 'c', 3)`);
    await bench.received(402);
    assert.deepEqual(bench.topic.rows().at(-1)?.data, { id: '2', v: 'c', later: '3' });
    await bench.postgres.query('ALTER TABLE whole DROP COLUMN later');
  });

  test('carry traces and TRUNCATE in their place', async () => {
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const emit = (text: string) => `SELECT pg_logical_emit_message(true, 'traceparent', '${text}')`;
    await first.query('BEGIN');
    await first.query(insert(1));
    await first.query('SAVEPOINT a');
    await first.query(emit(trace.replaceAll('a', 'c')));
    await first.query('ROLLBACK TO a');
    await first.query(insert(401));
    await first.query('TRUNCATE wide');
    await first.query(emit(trace));
    await first.query('INSERT INTO wide VALUES (1)');
    await spooled(1);
    await first.query('COMMIT');
    await bench.received(802);
    assert.deepEqual(
      bench.topic.messages.map(({ op, traceparent }) => `${op} ${traceparent ?? ''}`),
      [...range(0), ...range(0)].map(() => 'insert ').concat('truncate ', `insert ${trace}`),
    );
  });

  test('come again from their beginning when the connection breaks in the middle', async () => {
    await first.query('BEGIN');
    await first.query(insert(1));
    await spooled(1);
    const [leftover] = spools();
    await bench.postgres.query('SELECT pg_terminate_backend(pid) FROM pg_stat_replication');
    await first.query(insert(401));
    await first.query('COMMIT');
    await bench.received(800);
    assert.deepEqual(ids(), [...range(1), ...range(401)]);
    await spooled(0);
    assert.ok(leftover);
  });

  test('are handed on piece by piece while the broker is slow', async () => {
    bench.topic.delayMs = 5;
    await first.query('BEGIN');
    for (let at = 0; at < 50; at += 1) await first.query(insert(1 + at * 400));
    await first.query('COMMIT');
    await bench.postgres.query('INSERT INTO small VALUES (1)');
    await eventually('all of it has arrived', () => {
      const bytes = bench.changefeeds.statuses().get('streamed')?.outboxBytes ?? 0;
      assert.ok(bytes < 400_000, `${bytes} bytes wait`);
      return bench.topic.messages.length >= 20_001;
    });
    bench.topic.delayMs = 0;
    assert.deepEqual(ids(), [...range(0).flatMap((_, at) => (at < 50 ? range(1 + at * 400) : [])), 1]);
  });

  test('are what they would be unstreamed, which is how they come when there is no room for them', async () => {
    const topic = new MemoryTopic();
    const other = openChangefeeds(bench.postgres.url, () => topic.sink(), { spoolBytesMax: 0 });
    try {
      await eventually('loaded', () => other.changefeeds.isLoaded);
      const config = completeConfig({ sink, filter: { rules } });
      await other.changefeeds.create({ id: 'unstreamed', sinkUri, config });
      await eventually('streams', () => other.changefeeds.statuses().get('unstreamed')?.streaming);
      await first.query('BEGIN');
      await first.query(insert(1));
      await first.query('SAVEPOINT a');
      await first.query(`UPDATE wide SET id = id + 5000, v = 'y'`);
      await first.query('ROLLBACK TO a');
      await first.query(insert(1, 'whole'));
      await first.query('DELETE FROM wide WHERE id % 2 = 0');
      await first.query(`UPDATE whole SET v = 'z'`);
      await first.query('COMMIT');
      await bench.received(1400);
      await eventually('the other has it', () => topic.messages.length >= 1400);
      const said = (from: MemoryTopic) =>
        from.messages.map(({ changeId, partition, value }) => {
          const message = decode(value);
          return [changeId.slice(changeId.indexOf(':')), partition, { ...message, tsMs: 0 }];
        });
      assert.deepEqual(said(topic), said(bench.topic));
      assert.equal(existsSync(join(other.dataDir, 'transactions', 'unstreamed')), false);
    } finally {
      await other.changefeeds.remove('unstreamed');
      await other.close();
    }
  });

  test('of a session that died are removed when the next one starts', async () => {
    await bench.changefeeds.pause('streamed');
    mkdirSync(folder(), { recursive: true });
    writeFileSync(join(folder(), '4711'), 'half a transaction');
    await bench.changefeeds.resume('streamed');
    await eventually('streams', () => bench.changefeeds.statuses().get('streamed')?.streaming);
    assert.deepEqual(spools(), []);
  });
});

test('a server that cannot stream transactions under way is not asked to', () => {
  const options = { applicationName: 'a', slot: 's', publication: 'p', startLsn: 16n, streamsLarge: true };
  const head = 'START_REPLICATION SLOT "s" LOGICAL 0/10';
  assert.equal(
    startStatement(options, 140_000),
    `${head} (proto_version '2', streaming 'on', publication_names '"p"', messages 'true')`,
  );
  assert.equal(
    startStatement({ ...options, streamsLarge: false }, 180_000),
    `${head} (proto_version '1', publication_names '"p"', messages 'true')`,
  );
  assert.equal(startStatement(options, 130_000), `${head} (proto_version '1', publication_names '"p"')`);
});
