import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { startReplication } from '../src/protocol/replication-connection.ts';
import { type CaptureBench, openCaptureBench, sinkUri, streams } from './support/capture-bench.ts';
import { completeConfig } from '../src/changefeed/replica-config.ts';

suite('a slot that cannot be trusted', () => {
  let bench: CaptureBench;
  let nextId = 0;
  before(async () => {
    bench = await openCaptureBench(
      { outbox: { bytesMax: 100_000, batchMessagesMax: 10, batchBytesMax: 100_000 } },
      // Little log may be kept, so that a slot is soon given up.
      { max_slot_wal_keep_size: '1MB' },
    );
    await bench.postgres.query('CREATE TABLE t (id int PRIMARY KEY, v text)');
  });
  after(() => bench.close());
  beforeEach(() => {
    bench.topic.messages.length = 0;
    bench.topic.failure = undefined;
  });

  async function feed(): Promise<{ id: string; slot: string }> {
    nextId += 1;
    await bench.create(`safe-${nextId}`, ['sre_app.t']);
    return { id: `safe-${nextId}`, slot: `tidemark_safe_${nextId}` };
  }
  const stateOf = (id: string) => bench.changefeeds.statuses().get(id);
  /** Waits for a state and the code and text of its error. */
  async function becomes(id: string, state: string, code: string, message: RegExp): Promise<void> {
    const status = await eventually(`${id} is ${state}`, () => {
      const found = stateOf(id);
      return found?.state === state && found.error?.code === `CDC:${code}` && found;
    });
    assert.match(status.error?.message ?? '', message);
  }
  /** Fills some files of the log and lets the server see what it may remove. */
  async function fillLog(): Promise<void> {
    for (let file = 0; file < 4; file += 1) {
      await bench.postgres.query('SELECT pg_logical_emit_message(false, $1, $2)', ['filler', 'x']);
      await bench.postgres.query('SELECT pg_switch_wal()');
    }
    await bench.postgres.query('CHECKPOINT');
  }

  test('streamed by somebody else: their session is left alone, and what to do is said', async () => {
    const { id, slot } = await feed();
    await bench.changefeeds.pause(id);
    const other = await startReplication({
      url: bench.postgres.url,
      applicationName: 'another program',
      slot,
      publication: slot,
      startLsn: 0n,
      streamsLarge: false,
      onFrame: () => {},
      now: () => systemClock.now(),
    });
    await bench.changefeeds.resume(id);
    await becomes(
      id,
      'warning',
      'SLOT_TAKEN',
      /another program of tidemark at 127\.0\.0\.1.*pg_terminate_backend\(\d+\)/,
    );
    const [row] = await bench.postgres.query<{ active: boolean }>(
      'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
      [slot],
    );
    assert.equal(row?.active, true);
    await other.close();
    await streams(bench.changefeeds, id);
    await bench.changefeeds.remove(id);
  });

  test('given up by the server while nobody streamed it', async () => {
    const { id } = await feed();
    await bench.changefeeds.pause(id);
    await fillLog();
    await bench.changefeeds.resume(id);
    await becomes(id, 'failed', 'SLOT_LOST', /wal_removed.*initial_copy.*max_slot_wal_keep_size/);
    assert.equal((await bench.changefeeds.get(id)).state, 'failed', 'a restart finds it failed as well');
    await bench.changefeeds.remove(id);
  });

  test('given up by the server while it was streamed', async () => {
    const { id } = await feed();
    bench.topic.failure = new Error('the broker is away');
    await bench.postgres.query(`INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 500) g`);
    await eventually('the stream waits', () => (stateOf(id)?.outboxBytes ?? 0) >= 100_000);
    await fillLog();
    await becomes(id, 'failed', 'SLOT_LOST', /wal_removed/);
    await bench.changefeeds.remove(id);
  });

  test('there before the changefeed was: it is refused and stays', async () => {
    const request = { id: 'squatted', sinkUri, config: completeConfig({ filter: { rules: ['sre_app.t'] } }) };
    await bench.postgres.query(`SELECT pg_create_logical_replication_slot('tidemark_squatted', 'pgoutput')`);
    await assert.rejects(bench.changefeeds.create(request), {
      code: 'SLOT_EXISTS',
      message: /slot tidemark_squatted/,
    });
    await bench.postgres.query(`SELECT pg_drop_replication_slot('tidemark_squatted')`);
    await bench.postgres.query('CREATE PUBLICATION tidemark_squatted');
    await assert.rejects(bench.changefeeds.create(request), { code: 'SLOT_EXISTS', message: /publication/ });
    await assert.rejects(bench.changefeeds.get('squatted'), { code: 'CHANGEFEED_NOT_FOUND' });
    await bench.postgres.query('DROP PUBLICATION tidemark_squatted');
    await bench.changefeeds.create(request);
    await streams(bench.changefeeds, 'squatted');
    await bench.changefeeds.remove('squatted');
  });

  test('left by a creation that was cut short: it is made anew', async () => {
    const { id } = await feed();
    await bench.changefeeds.pause(id);
    await bench.postgres.query('UPDATE changefeeds SET checkpoint_lsn = NULL WHERE id = $1', [id]);
    await bench.changefeeds.resume(id);
    await streams(bench.changefeeds, id);
    await bench.postgres.query(`INSERT INTO t VALUES (100000, 'v')`);
    await bench.received(1);
    await bench.changefeeds.remove(id);
  });

  test('without its publication', async () => {
    const { id, slot } = await feed();
    await bench.changefeeds.pause(id);
    await bench.postgres.query(`DROP PUBLICATION ${slot}`);
    await bench.changefeeds.resume(id);
    await becomes(id, 'failed', 'PUBLICATION_MISSING', /does not exist any more.*create it again/);
    await bench.changefeeds.remove(id);
  });

  test('it is one that standbys keep a copy of, where the server can', async () => {
    const { id, slot } = await feed();
    const [row] = await bench.postgres.query<{ failover: boolean }>(
      `SELECT (to_jsonb(s) ->> 'failover')::boolean AS failover FROM pg_replication_slots s WHERE slot_name = $1`,
      [slot],
    );
    assert.equal(row?.failover, true);
    await bench.changefeeds.remove(id);
  });

  test('bookkeeping of Tidemark itself is never captured', async () => {
    await bench.create('all', ['*.*'], { ignore_ineligible_table: true });
    const rows = await bench.postgres.query<{ tablename: string }>(
      `SELECT tablename FROM pg_publication_tables WHERE pubname = 'tidemark_all' ORDER BY 1`,
    );
    assert.deepEqual(
      rows.map(({ tablename }) => tablename),
      ['reviews', 'sessions', 't', 'users'],
    );
    await bench.changefeeds.remove('all');
  });
});
