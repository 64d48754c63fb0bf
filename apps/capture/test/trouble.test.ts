import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { systemClock, TidemarkError } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { readinessChecks } from '../src/changefeed/readiness.ts';
import { applicationName } from '../src/changefeed/source-session.ts';
import { parseLsn } from '../src/protocol/lsn.ts';
import { startReplication } from '../src/protocol/replication-connection.ts';
import { type CaptureBench, openCaptureBench, openChangefeeds, streams } from './support/capture-bench.ts';

suite('a changefeed in trouble', () => {
  let bench: CaptureBench;
  let nextId = 0;
  before(async () => {
    bench = await openCaptureBench({
      idleAdvanceBytes: 1024n,
      outbox: { bytesMax: 200_000, batchMessagesMax: 100, batchBytesMax: 100_000 },
    });
    await bench.postgres.query(
      'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE unpublished (id int, v text)',
    );
  });
  after(() => bench.close());
  beforeEach(() => {
    bench.topic.messages.length = 0;
    bench.topic.failure = undefined;
  });

  async function confirmedLsn(slot: string): Promise<bigint> {
    const [row] = await bench.postgres.query<{ lsn: string }>(
      'SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [slot],
    );
    return parseLsn(row?.lsn ?? '0/0');
  }
  async function currentLsn(): Promise<bigint> {
    const [row] = await bench.postgres.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    return parseLsn(row?.lsn ?? '0/0');
  }
  async function feed(rules: readonly string[] = ['sre_app.t']): Promise<{ id: string; slot: string }> {
    nextId += 1;
    const id = `feed-${nextId}`;
    await bench.create(id, rules);
    return { id, slot: `tidemark_feed_${nextId}` };
  }
  const stateOf = (id: string) => bench.changefeeds.statuses().get(id)?.state;
  const insert = (text = 'v') =>
    bench.postgres.query('INSERT INTO t SELECT COALESCE(max(id), 0) + 1, $1 FROM t', [text]);

  test('while the broker is away nothing is confirmed, readiness says so, and work resumes by itself', async () => {
    const { id, slot } = await feed();
    const checks = readinessChecks(bench.changefeeds, async () => {});
    bench.topic.failure = new Error('connection refused');
    const before = await currentLsn();
    await insert();
    await eventually('a warning', () => stateOf(id) === 'warning');
    assert.throws(() => checks.broker(), /connection refused/);
    assert.ok((await confirmedLsn(slot)) <= before);
    bench.topic.failure = undefined;
    await bench.received(1);
    await eventually('normal again', () => stateOf(id) === 'normal');
    assert.doesNotThrow(() => checks.broker());
    await eventually('confirmed', async () => (await confirmedLsn(slot)) > before);
    await bench.changefeeds.remove(id);
  });

  test('a batch whose acknowledgement was lost is sent again with the same ids', async () => {
    const { id } = await feed();
    bench.topic.loseNextAnswer = true;
    await insert();
    await bench.received(2);
    const [first, second] = bench.topic.messages;
    assert.equal(first?.changeId, second?.changeId);
    assert.deepEqual(first?.value, second?.value);
    await bench.changefeeds.remove(id);
  });

  test('what the broker refuses for good fails the changefeed, which can be resumed after mending', async () => {
    const { id } = await feed();
    bench.topic.failure = new TidemarkError('KAFKA_REFUSED', 'the message is too large');
    await insert();
    await eventually('failed', () => stateOf(id) === 'failed');
    const view = await bench.changefeeds.get(id);
    assert.equal(view.status?.error?.code, 'CDC:KAFKA_REFUSED');
    bench.topic.failure = undefined;
    await bench.changefeeds.resume(id);
    await bench.received(1);
    await bench.changefeeds.remove(id);
  });

  test('a crash of the database is survived', async () => {
    const { id } = await feed();
    await insert('before');
    await bench.received(1);
    await bench.postgres.crashAndRestart();
    await insert('after');
    await bench.received(2);
    assert.equal(bench.topic.rows().at(-1)?.data['v'], 'after');
    await bench.changefeeds.remove(id);
  });

  test('a second process waits, and takes over when the first is gone', async () => {
    const { id } = await feed();
    const second = openChangefeeds(bench.postgres.url, () => bench.topic.sink());
    try {
      await eventually('the second waits', () => {
        const status = second.changefeeds.statuses().get(id);
        return status?.error?.code === 'CDC:CHANGEFEED_TAKEN' && !status.streaming;
      });
      await bench.changefeeds.runner(id)?.stop();
      await streams(second.changefeeds, id);
      await insert();
      await bench.received(1);
    } finally {
      await second.changefeeds.remove(id);
      await second.close();
    }
  });

  test('a session that lingers on the slot is ended by the owner', async () => {
    const { id, slot } = await feed();
    await bench.changefeeds.pause(id);
    const stale = await startReplication({
      url: bench.postgres.url,
      applicationName: applicationName(id),
      slot,
      publication: slot,
      startLsn: 0n,
      streamsLarge: true,
      onFrame: () => {},
      now: () => systemClock.now(),
    });
    const ended = assert.rejects(stale.ended);
    await bench.changefeeds.resume(id);
    await ended;
    await streams(bench.changefeeds, id);
    await bench.changefeeds.remove(id);
  });

  test('a slot that is gone fails the changefeed instead of starting anew in silence', async () => {
    const { id, slot } = await feed();
    await bench.changefeeds.pause(id);
    await bench.postgres.query('SELECT pg_drop_replication_slot($1)', [slot]);
    await bench.changefeeds.resume(id);
    await eventually('failed', () => stateOf(id) === 'failed');
    const { status } = await bench.changefeeds.get(id);
    assert.match(status?.error?.message ?? '', /does not exist any more.*create it again/);
    await bench.changefeeds.remove(id);
  });

  test('a slot that somebody else consumed fails the changefeed', async () => {
    const { id, slot } = await feed();
    await bench.changefeeds.pause(id);
    await insert();
    await bench.postgres.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot]);
    await bench.changefeeds.resume(id);
    await eventually('failed', () => stateOf(id) === 'failed');
    assert.equal(bench.changefeeds.statuses().get(id)?.error?.code, 'CDC:SLOT_ADVANCED');
    await bench.changefeeds.remove(id);
  });

  test('traffic that nobody captures moves the slot on', async () => {
    const { id, slot } = await feed();
    await bench.postgres.query(
      `INSERT INTO unpublished SELECT g, repeat('x', 500) FROM generate_series(1, 200) g`,
    );
    const written = await currentLsn();
    await eventually('the slot has moved', async () => (await confirmedLsn(slot)) >= written - 1024n);
    assert.equal(bench.topic.messages.length, 0);
    await bench.changefeeds.remove(id);
  });

  test('a large transaction before a slow broker stays within the bounds of memory', async () => {
    const { id } = await feed();
    bench.topic.failure = new Error('away');
    await bench.postgres.query(
      `INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1000, 20999) g`,
    );
    await eventually('the outbox is full', () => {
      const bytes = bench.changefeeds.statuses().get(id)?.outboxBytes ?? 0;
      assert.ok(bytes < 500_000, `${bytes} bytes`);
      return bytes >= 200_000;
    });
    bench.topic.failure = undefined;
    await bench.received(20_000);
    assert.ok((bench.changefeeds.statuses().get(id)?.outboxBytes ?? 0) < 500_000);
    assert.equal(new Set(bench.topic.messages.map(({ changeId }) => changeId)).size, 20_000);
    await bench.changefeeds.remove(id);
  });

  test('a table that appears and matches is captured from then on', async () => {
    const { id, slot } = await feed(['sre_app.late_*']);
    await bench.postgres.query('CREATE TABLE late_comer (id int PRIMARY KEY)');
    await eventually('published', async () => {
      const rows = await bench.postgres.query('SELECT FROM pg_publication_tables WHERE pubname = $1', [slot]);
      return rows.length === 1;
    });
    await bench.postgres.query('INSERT INTO late_comer VALUES (1)');
    await bench.received(1);
    await bench.changefeeds.remove(id);
  });

  test('a removed changefeed leaves neither slot nor publication', async () => {
    const { id } = await feed();
    await bench.changefeeds.remove(id);
    assert.deepEqual(await bench.postgres.query('SELECT slot_name FROM pg_replication_slots'), []);
    assert.deepEqual(await bench.postgres.query('SELECT pubname FROM pg_publication'), []);
    await assert.rejects(bench.changefeeds.get(id), { code: 'CHANGEFEED_NOT_FOUND' });
  });

  test('paused, nothing is captured; resumed, everything that happened meanwhile is', async () => {
    const { id } = await feed();
    await bench.changefeeds.pause(id);
    await insert('meanwhile');
    assert.equal((await bench.changefeeds.get(id)).state, 'stopped');
    await bench.changefeeds.resume(id);
    await bench.received(1);
    assert.equal(bench.topic.rows()[0]?.data['v'], 'meanwhile');
    await bench.changefeeds.remove(id);
  });

  test('tables without a key are refused with the remedy, left out, or captured whole when asked', async () => {
    await bench.postgres.query('CREATE TABLE nokey (a int, b text)');
    const rules = ['sre_app.nokey', 'sre_app.t'];
    await assert.rejects(bench.create('refused', rules), (error: TidemarkError) => {
      assert.equal(error.code, 'TABLE_INELIGIBLE');
      assert.match(error.message, /ALTER TABLE "public"."nokey" REPLICA IDENTITY FULL/);
      return true;
    });
    await bench.create('ignoring', rules, { ignore_ineligible_table: true });
    await bench.postgres.query(`INSERT INTO nokey VALUES (1, 'a')`);
    await insert();
    await bench.received(1);
    assert.deepEqual(
      bench.topic.rows().map(({ table }) => table),
      ['t'],
    );
    await bench.changefeeds.remove('ignoring');

    await bench.postgres.query('ALTER TABLE nokey REPLICA IDENTITY FULL');
    await bench.create('forcing', ['sre_app.nokey'], { force_replicate: true });
    bench.topic.messages.length = 0;
    await bench.postgres.query(`UPDATE nokey SET b = 'c'`);
    await bench.postgres.query('DELETE FROM nokey');
    await bench.received(2);
    assert.deepEqual(
      bench.topic.rows().map(({ type, pkNames, data, old }) => [type, pkNames, data, old]),
      [
        ['UPDATE', [], { a: '1', b: 'c' }, { a: '1', b: 'a' }],
        ['DELETE', [], { a: '1', b: 'c' }, null],
      ],
    );
    assert.equal(new Set(bench.topic.messages.map(({ partition }) => partition)).size, 1);
    await bench.changefeeds.remove('forcing');
  });
});
