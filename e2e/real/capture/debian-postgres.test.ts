import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '@tidemark/testkit';
import { type CaptureRig, startCaptureRig } from '../../src/capture-rig.ts';
import { skipWithout } from '../../src/programs.ts';
import { readChanges, rebuilt } from '../../src/rebuilt-topic.ts';
import { everyMessage } from '../../src/topic-reader.ts';
import { type MachinePostgres, startMachinePostgres } from './debian-postgres.ts';

/** An older server than the embedded one: no failover slots, no stored generated columns, older catalogs. */
describe('capture of the PostgreSQL that the machine has', { skip: skipWithout('initdb') }, () => {
  let source: MachinePostgres;
  let rig: CaptureRig;
  before(async () => {
    [source, rig] = await Promise.all([startMachinePostgres(), startCaptureRig()]);
    await source.query(`
      CREATE TABLE orders (id int PRIMARY KEY, note text, amount numeric(10, 2), tags text[], placed_at timestamptz);
      ALTER TABLE orders REPLICA IDENTITY FULL`);
  });
  after(async () => {
    await rig?.stop();
    await source?.stop();
  });

  test('its rows are rebuilt from the topic, through a kill, and nothing of ours is left behind', async t => {
    t.diagnostic(`PostgreSQL ${source.version}`);
    await rig.createFeed('debian', ['postgres.orders'], source.url);
    await source.query(
      `INSERT INTO orders SELECT g, 'n' || g, g * 1.5, ARRAY['a', 'b'], '2024-03-11 08:51:01.5+00' FROM generate_series(1, 200) g`,
    );
    await rig.kill('capture');
    await source.query(`UPDATE orders SET note = NULL, amount = -amount WHERE id % 3 = 0`);
    await source.query(`UPDATE orders SET id = id + 1000 WHERE id % 5 = 0`);
    await source.query(`DELETE FROM orders WHERE id % 7 = 0`);
    await source.query(`INSERT INTO orders VALUES (9999, 'last', 1, '{}', '2024-03-11 08:51:01.5+00')`);
    const told = await eventually(
      'the last row has come',
      async () => {
        const rows = rebuilt(readChanges(await everyMessage(rig.brokers, 'debian')).changes, 'orders');
        return rows.has('9999') && rows;
      },
      { withinMs: 60_000, everyMs: 250 },
    );
    const rows = await source.query<{ row: Record<string, string | null> }>(
      `SELECT jsonb_build_object('id', id::text, 'note', note, 'amount', amount::text, 'tags', tags::text,
              'placed_at', to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')) AS row FROM orders`,
    );
    assert.deepEqual(new Map(told), new Map(rows.map(({ row }) => [row['id'] ?? '', row])));
    await rig.removeFeed('debian');
    assert.deepEqual(await source.query('SELECT slot_name FROM pg_replication_slots'), []);
    assert.deepEqual(await source.query('SELECT pubname FROM pg_publication'), []);
  });
});
