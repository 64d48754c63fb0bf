import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import type { Row } from '@tidemark/canal-json';
import { seededRandom } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { Client } from 'pg';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

suite(`copies of existing rows (TEST_SEED=${seed})`, () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench();
    await bench.postgres.query(`
      CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN positive AS int;
      CREATE TABLE big (region text, id positive, mood mood, at timestamptz, password text, PRIMARY KEY (region, id));
      INSERT INTO big SELECT chr(97 + g % 3), g, 'glad', '2024-01-01', 'pw' FROM generate_series(1, 3000) g;
      CREATE TABLE wide (id int PRIMARY KEY, v text);
      CREATE TABLE busy (id int PRIMARY KEY, n int NOT NULL, big text);
      ALTER TABLE busy REPLICA IDENTITY FULL`);
  });
  after(() => bench.close());
  beforeEach(() => {
    bench.topic.messages.length = 0;
  });

  async function copied(id: string, table: string): Promise<void> {
    await eventually(
      `${table} is copied`,
      async () => {
        const { copies } = await bench.changefeeds.get(id);
        return copies.some(({ name, isDone }) => name === table && isDone);
      },
      { withinMs: 30_000 },
    );
  }

  test('arrive as inserts, whole, once, masked, in the order of the key', async () => {
    await bench.create('initial', ['sre_app.big'], { initial_copy: true });
    await copied('initial', 'big');
    const rows = bench.topic.rows();
    assert.equal(rows.length, 3000);
    assert.deepEqual(rows[0]?.data, {
      region: 'a',
      id: '3',
      mood: 'glad',
      at: '2024-01-01 00:00:00.000000',
      password: '***',
    });
    assert.deepEqual(rows[0]?.mysqlTypes['id'], 'int');
    assert.deepEqual(rows[0]?.pkNames, ['region', 'id']);
    const keys = rows.map(({ data }) => `${data['region']} ${data['id']?.padStart(5, '0')}`);
    assert.deepEqual(keys, keys.toSorted());
    assert.equal(new Set(bench.topic.messages.map(({ changeId }) => changeId)).size, 3000);
    const { copies } = await bench.changefeeds.get('initial');
    assert.deepEqual(
      copies.map(({ rows }) => rows),
      [3000],
    );
    await bench.changefeeds.remove('initial');
  });

  test('of a large table arrive in several ranges of the key side by side, each row once', async () => {
    await bench.postgres.query(
      `INSERT INTO wide SELECT g, repeat('x', 200) FROM generate_series(1, 20000) g; INSERT INTO wide VALUES (-5, 'y')`,
    );
    await bench.create('ranged', ['sre_app.wide'], { initial_copy: true });
    await copied('ranged', 'wide');
    const ids = bench.topic.rows().map(({ data }) => Number(data['id']));
    assert.equal(ids.length, 20_001);
    assert.equal(new Set(ids).size, 20_001);
    assert.ok(
      ids.some((id, at) => id < (ids[at - 1] ?? id)),
      'the ranges came one after the other',
    );
    const { copies } = await bench.changefeeds.get('ranged');
    const ranges = copies[0]?.ranges ?? [];
    assert.ok(ranges.length >= 4, `${ranges.length} ranges`);
    assert.ok(ranges.every(({ isDone }) => isDone));
    assert.equal(copies[0]?.rows, 20_001);
    await bench.changefeeds.remove('ranged');
  });

  test('are the same rows that the stream sends, and go where it sends them', async () => {
    await bench.create('same', ['sre_app.big'], { initial_copy: true });
    await copied('same', 'big');
    const place = (count: number) => {
      const messages = bench.topic.messages.slice(-count);
      const rows = bench.topic.rows().slice(-count);
      return new Map(
        messages.map(({ partition }, at) => [rows[at]?.data['id'], [partition, rows[at]?.data]]),
      );
    };
    const asCopied = place(3000);
    await bench.postgres.query(`UPDATE big SET mood = mood`);
    await bench.received(6000);
    assert.deepEqual(place(3000), asCopied);
    await bench.changefeeds.remove('same');
  });

  test('go on after the last acknowledged chunk when capture is interrupted', async () => {
    bench.topic.delayMs = 20;
    await bench.create('resumed', ['sre_app.big'], { initial_copy: true });
    await bench.received(300);
    await bench.postgres.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_replication`);
    bench.topic.delayMs = 0;
    await copied('resumed', 'big');
    const ids = new Set(bench.topic.rows().map(({ data }) => data['id']));
    assert.equal(ids.size, 3000);
    assert.ok(bench.topic.messages.length < 5500, `${bench.topic.messages.length} messages`);
    await bench.changefeeds.remove('resumed');
  });

  test('of a table that joins later, nothing that was written before it joined is missing', async () => {
    await bench.create('joining', ['sre_app.joiner']);
    await bench.postgres.query(
      `CREATE TABLE joiner (id int PRIMARY KEY); INSERT INTO joiner SELECT generate_series(1, 100)`,
    );
    await bench.received(100);
    await bench.postgres.query('INSERT INTO joiner VALUES (101)');
    await bench.received(101);
    assert.equal(new Set(bench.topic.rows().map(({ data }) => data['id'])).size, 101);
    await bench.changefeeds.remove('joining');
  });

  test('on demand, while the changefeed streams', async () => {
    await bench.create('demanded', ['sre_app.big']);
    await bench.changefeeds.copy('demanded', ['sre_app.b*']);
    await copied('demanded', 'big');
    assert.equal(bench.topic.messages.length, 3000);
    await assert.rejects(bench.changefeeds.copy('demanded', ['sre_app.users']), {
      code: 'PARAMETER_INVALID',
    });
    await bench.changefeeds.remove('demanded');
  });

  test('never put an older row over a newer one, however busy the table is', async () => {
    await bench.postgres.query(
      `INSERT INTO busy SELECT g, 0, repeat('x', 3000) FROM generate_series(1, 600) g`,
    );
    const working = new AbortController();
    const work = [1, 2, 3].map(writer =>
      writeUntil(working.signal, bench.postgres.url, seededRandom(seed + writer)),
    );
    await bench.create('busy', ['sre_app.busy'], { initial_copy: true });
    await copied('busy', 'busy');
    working.abort();
    await Promise.all(work);
    await bench.postgres.query(`INSERT INTO busy VALUES (-1, 0, 'last')`);
    await eventually('the last row', () => bench.topic.rows().some(({ data }) => data['id'] === '-1'));

    const rebuilt = new Map<string, Row>();
    for (const { type, data } of bench.topic.rows()) {
      const id = data['id'] ?? '';
      if (type === 'DELETE') rebuilt.delete(id);
      else rebuilt.set(id, data);
    }
    const rows = await bench.postgres.query<Row>(`SELECT id::text, n::text, big FROM busy`);
    const source = new Map(rows.map(row => [row['id'] ?? '', { ...row }]));
    assert.deepEqual(Object.fromEntries(rebuilt), Object.fromEntries(source));
    await bench.changefeeds.remove('busy');
  });
});

async function writeUntil(signal: AbortSignal, url: string, random: () => number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  while (!signal.aborted) {
    const id = 1 + Math.floor(random() * 600);
    const dice = random();
    if (dice < 0.1) await client.query('DELETE FROM busy WHERE id = $1', [id]);
    else if (dice < 0.2)
      await client.query(`INSERT INTO busy VALUES ($1, 1, 'new') ON CONFLICT DO NOTHING`, [id]);
    else if (dice < 0.25) {
      await client
        .query('UPDATE busy SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM busy WHERE id = $2)', [
          id,
          1 + Math.floor(random() * 600),
        ])
        .catch(() => {});
    } else await client.query('UPDATE busy SET n = n + 1 WHERE id = $1', [id]);
  }
  await client.end();
}
