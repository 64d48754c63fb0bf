import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { toInfo } from '../src/api/shapes.ts';
import { readinessChecks } from '../src/changefeed/readiness.ts';
import { completeConfig, type GivenConfig } from '../src/changefeed/replica-config.ts';
import {
  type CaptureBench,
  openCaptureBench,
  openChangefeeds,
  sink,
  sinkUri,
  streams,
} from './support/capture-bench.ts';

suite('a database that is not ours', () => {
  let bench: CaptureBench;
  let shop: TestPostgres;
  before(async () => {
    [bench, shop] = await Promise.all([openCaptureBench(), startPostgres({ database: 'shop' })]);
    await shop.query(`
      CREATE TABLE orders (id int PRIMARY KEY, note text);
      CREATE TABLE changefeeds (id int PRIMARY KEY, note text)`);
  });
  after(async () => {
    await bench.close();
    await shop.stop();
  });

  const create = (id: string, rules: readonly string[], config: GivenConfig = {}, sourceUri = shop.url) =>
    bench.changefeeds.create({
      id,
      sinkUri,
      sourceUri,
      config: completeConfig({ sink, ...config, filter: { rules: [...rules] } }),
    });
  /** Everything that a database can hold of ours: schemas, relations, functions, publications, slots. */
  async function inventory(): Promise<readonly string[]> {
    const rows = await shop.query<{ thing: string }>(`
      SELECT 'schema ' || nspname AS thing FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'
      UNION ALL SELECT 'relation ' || oid::regclass FROM pg_class WHERE relnamespace <> 'pg_catalog'::regnamespace
      UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'publication ' || pubname FROM pg_publication
      UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
      UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger
      UNION ALL SELECT 'role ' || rolname FROM pg_roles
      ORDER BY 1`);
    return rows.map(({ thing }) => thing);
  }

  test('is captured without a table of ours in it, and left as it was', async () => {
    const before = await inventory();
    await shop.query(`INSERT INTO orders VALUES (1, 'early')`);
    const feed = await create('orders', ['shop.*'], { initial_copy: true });
    await streams(bench.changefeeds, 'orders');
    await bench.received(1);
    await shop.query(`INSERT INTO orders VALUES (2, 'late'); INSERT INTO changefeeds VALUES (1, 'theirs')`);
    await bench.received(3);
    assert.deepEqual(
      bench.topic
        .rows()
        .map(({ database, table, data }) => `${database}.${table} ${data['note']}`)
        .toSorted(),
      ['shop.changefeeds theirs', 'shop.orders early', 'shop.orders late'],
    );
    assert.deepEqual(
      (await inventory()).filter(thing => !before.includes(thing)),
      ['publication tidemark_orders', 'slot tidemark_orders'],
    );
    assert.match(toInfo(feed, '').source_uri ?? '', /^postgres:\/\/tidemark:xxxxx@127\.0\.0\.1:\d+\/shop$/);
    await bench.changefeeds.remove('orders');
    assert.deepEqual(await inventory(), before);
  });

  test('its URL is kept sealed', async () => {
    await create('sealed', ['shop.orders']);
    const [row] = await bench.postgres.query<{ source_uri: string; sink_uri: string; all: string }>(
      `SELECT source_uri, sink_uri, to_jsonb(c)::text AS all FROM changefeeds c WHERE id = 'sealed'`,
    );
    assert.match(row?.source_uri ?? '', /^sealed:1:/);
    assert.match(row?.sink_uri ?? '', /^sealed:1:/);
    assert.doesNotMatch(row?.all ?? '', /postgres:|kafka:/);
    await bench.changefeeds.remove('sealed');
  });

  test('several changefeeds over several databases run at once and survive a restart', async () => {
    bench.topic.messages.length = 0;
    await bench.create('home', ['sre_app.users']);
    await create('far-1', ['shop.orders']);
    await create('far-2', ['shop.changefeeds']);
    const ids = ['home', 'far-1', 'far-2'];
    await Promise.all(ids.map(id => streams(bench.changefeeds, id)));
    await bench.changefeeds.pause('far-2');
    await Promise.all(ids.map(async id => bench.changefeeds.runner(id)?.stop()));

    const restarted = openChangefeeds(bench.postgres.url, () => bench.topic.sink());
    try {
      await eventually('loaded', () => restarted.changefeeds.isLoaded);
      await Promise.all(['home', 'far-1'].map(id => streams(restarted.changefeeds, id)));
      assert.equal((await restarted.changefeeds.get('far-2')).state, 'stopped');
      await restarted.changefeeds.resume('far-2');
      await shop.query(`INSERT INTO orders VALUES (3, 'a'); INSERT INTO changefeeds VALUES (2, 'b')`);
      await bench.postgres.query(`INSERT INTO users (email) VALUES ('c@example.com')`);
      await bench.received(3);
      const feeds = bench.topic.messages.map(({ changeId }) => changeId.split(':')[0] ?? '');
      assert.deepEqual(feeds.toSorted(), ['far-1', 'far-2', 'home']);
      for (const id of ids) await restarted.changefeeds.remove(id);
    } finally {
      await restarted.close();
    }
    for (const id of ids) await bench.changefeeds.remove(id);
  });

  test('that is gone for good: its changefeed can be removed by force only', async () => {
    const gone = await startPostgres({ database: 'gone' });
    await gone.query('CREATE TABLE t (id int PRIMARY KEY)');
    await create('gone', ['gone.t'], {}, gone.url);
    await streams(bench.changefeeds, 'gone');
    await gone.stop();
    await eventually('a warning', () => bench.changefeeds.statuses().get('gone')?.state === 'warning');
    const checks = readinessChecks(bench.changefeeds, async () => {});
    assert.doesNotThrow(() => checks.changefeeds(), 'the service itself is well');
    await assert.rejects(bench.changefeeds.remove('gone'), { code: 'SOURCE_UNREACHABLE' });
    assert.equal(await bench.changefeeds.remove('gone', true), true);
    await assert.rejects(bench.changefeeds.get('gone'), { code: 'CHANGEFEED_NOT_FOUND' });
  });
});
