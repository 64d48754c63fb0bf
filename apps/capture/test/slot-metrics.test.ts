import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMetrics } from '@tidemark/observability';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Client, Pool } from 'pg';
import { exposeSlots } from '../src/changefeed/slot-metrics.ts';

describe('the metrics of replication slots', () => {
  let postgres: TestPostgres;
  let pool: Pool;

  before(async () => {
    postgres = await startPostgres();
    pool = new Pool({ connectionString: postgres.url, max: 1 });
    pool.on('error', () => {});
  });
  after(async () => {
    await pool.end().catch(() => {});
    await postgres.stop();
  });

  test('tell of our slots what the database keeps for them, also while nobody streams them', async () => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    for (const name of ['tidemark_idle', 'somebody_else']) {
      await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [name]);
    }
    const metrics = createMetrics({ defaults: false });
    exposeSlots(metrics, pool);
    const { body } = await metrics.expose();
    assert.match(body, /^capture_slot_active_state\{slot="tidemark_idle"\} 0$/m);
    assert.match(body, /^capture_slot_wal_state\{slot="tidemark_idle",state="reserved"\} 1$/m);
    assert.match(body, /^capture_slot_wal_state\{slot="tidemark_idle",state="lost"\} 0$/m);
    assert.match(body, /^capture_slot_retained_bytes\{slot="tidemark_idle"\} \d+$/m);
    assert.doesNotMatch(body, /somebody_else/);

    await client.query(`SELECT pg_drop_replication_slot('tidemark_idle')`);
    assert.doesNotMatch((await metrics.expose()).body, /tidemark_idle/, 'a slot that is gone is not shown');
    await client.query(`SELECT pg_drop_replication_slot('somebody_else')`);
    await client.end();
  });

  test('a database that does not answer is counted, and leaves no stale values', async () => {
    const away = { query: () => Promise.reject(new Error('away')) };
    const metrics = createMetrics({ defaults: false });
    exposeSlots(metrics, away);
    const { body } = await metrics.expose();
    assert.match(body, /^scrape_collector_failures_total 1$/m);
    assert.doesNotMatch(body, /^capture_slot_\w+\{/m);
  });
});
