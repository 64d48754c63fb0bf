import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  changeStoreSink,
  classify,
  createPool,
  deadLetterSink,
  type Pool,
  reviewsSink,
} from '@tidemark/connectors';
import type { ReviewCreated } from '@tidemark/contracts';
import { asDeliveryError, countBatch, type FailureKind } from '@tidemark/pipeline';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Client } from 'pg';
import { batchOf, record, spanning } from './records.ts';
import { review, reviews } from './reviews.ts';

const never = new AbortController().signal;
const partition = { topic: 'events.main', partition: 0 };
const start = { ...partition, nextOffset: 0n };

function failsWith(kind: FailureKind) {
  return (error: unknown) => asDeliveryError(error).kind === kind;
}

describe('sinks that keep their position in PostgreSQL', () => {
  let postgres: TestPostgres;
  let pool: Pool;
  before(async () => {
    postgres = await startPostgres({ migrated: true });
    pool = createPool({ databaseUrl: postgres.url, applicationName: 'test', connections: 4 });
  });
  after(async () => {
    await pool.end();
    await postgres.stop();
  });
  afterEach(() =>
    postgres.query('TRUNCATE reviews, processed_events, pipeline_positions, change_events, dlq_events'),
  );

  const ledger = async () => (await postgres.query('SELECT * FROM pipeline_positions'))[0] ?? {};
  const countOf = async (table: string) =>
    Number((await postgres.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n);

  test('effects, ids, position and ledger are stored together', async () => {
    const sink = reviewsSink('p', pool);
    assert.equal(await sink.open({ ...partition, nextOffset: 7n }, never), 7n);
    const events = reviews(3);
    const receipt = await sink.deliver(batchOf(events, 7n), never);
    assert.equal(receipt.duplicates.size, 0);
    assert.equal(await countOf('reviews'), 3);
    assert.equal(await countOf('processed_events'), 3);
    const { next_offset, read, delivered } = await ledger();
    assert.deepEqual({ next_offset, read, delivered }, { next_offset: '10', read: '3', delivered: '3' });
  });

  test('pitfall 15, an event that comes again, in the same batch or later, is a duplicate and has no second effect', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const [a, b, c] = [review(), review(), review()];
    await sink.deliver(batchOf([a, b]), never);
    const receipt = await sink.deliver(batchOf([b, c, c], 2n), never);
    assert.deepEqual(receipt.duplicates, new Set([2n, 4n]));
    assert.equal(await countOf('reviews'), 3);
    const { read, delivered, duplicate } = await ledger();
    assert.deepEqual({ read, delivered, duplicate }, { read: '5', delivered: '3', duplicate: '2' });
  });

  test('pitfall 1, a crash between database commit and offset commit: the stored position wins over the group’s', async () => {
    const first = reviewsSink('p', pool);
    await first.open(start, never);
    await first.deliver(batchOf(reviews(5)), never);
    assert.equal(await reviewsSink('p', pool).open(start, never), 5n);
  });

  test('pitfall 7, a zombie that lost the partition is fenced and leaves nothing behind', async () => {
    const zombie = reviewsSink('p', pool);
    await zombie.open(start, never);
    await reviewsSink('p', pool).open(start, never);
    await assert.rejects(zombie.deliver(batchOf(reviews(2)), never), failsWith('fenced'));
    assert.equal(await countOf('reviews'), 0);
    assert.equal(await countOf('processed_events'), 0);
  });

  test('pitfall 9, one bad row fails the whole batch as permanent, so that it can be bisected', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    await assert.rejects(
      sink.deliver(batchOf([review(), review({ rating: 9 })]), never),
      failsWith('permanent'),
    );
    assert.equal(await countOf('reviews'), 0);
  });

  test('pitfall 20, a batch whose commit answer was lost is recognised by the position and not repeated', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const batch = batchOf(reviews(4));
    await sink.deliver(batch, never);
    await sink.deliver(batch, never);
    assert.equal(await countOf('reviews'), 4);
    const { read, duplicate } = await ledger();
    assert.deepEqual({ read, duplicate }, { read: '4', duplicate: '0' });
  });

  test('of a batch that took effect in part only the rest is delivered', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const events = reviews(6);
    await sink.deliver(batchOf(events.slice(0, 2)), never);
    await sink.deliver(batchOf(events), never);
    assert.equal(await countOf('reviews'), 6);
    const { next_offset, read, delivered, duplicate } = await ledger();
    assert.deepEqual(
      { next_offset, read, delivered, duplicate },
      { next_offset: '6', read: '6', delivered: '6', duplicate: '0' },
    );
  });

  test('pitfall 2, the mark that an event is processed and its effect are there together, or neither is', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const events = [review(), review({ rating: 9 })];
    await assert.rejects(sink.deliver(batchOf(events), never), failsWith('permanent'));
    assert.deepEqual([await countOf('processed_events'), await countOf('reviews')], [0, 0]);
    await sink.deliver(batchOf(events.slice(0, 1)), never);
    assert.deepEqual([await countOf('processed_events'), await countOf('reviews')], [1, 1]);
  });

  test('pitfall 16, a unique constraint across events makes the second the culprit, not the batch', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const [first, second] = [review({ review_id: 'same' }), review({ review_id: 'same' })];
    await assert.rejects(sink.deliver(batchOf([first, second]), never), failsWith('permanent'));
    await sink.deliver(batchOf([first]), never);
    await assert.rejects(sink.deliver(batchOf([second], 1n), never), failsWith('permanent'));
    assert.equal(await countOf('reviews'), 1);
  });

  test('pitfall 18, a deadlock or a serialization failure is tried again', () => {
    for (const code of ['40P01', '40001', '55P03']) {
      assert.equal(classify(Object.assign(new Error('no'), { code })).kind, 'transient');
    }
  });

  test('filtered and dead-lettered records move the position and are counted', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const rejection = {
      reason: 'invalid',
      errorClass: 'invalid',
      message: '',
      attempts: 0,
      firstFailedAtMs: 0,
      lastFailedAtMs: 0,
    } as const;
    const batch = spanning<ReviewCreated>(
      [
        { record: record({ offset: 0n }), fate: 'filtered' },
        { record: record({ offset: 1n }), fate: 'dead-lettered', rejection },
      ],
      0n,
    );
    const receipt = await sink.deliver(batch, never);
    assert.deepEqual(countBatch(batch, receipt), {
      read: 2,
      delivered: 0,
      duplicate: 0,
      filtered: 1,
      deadLettered: 1,
    });
    const { next_offset, filtered, dead_lettered } = await ledger();
    assert.deepEqual(
      { next_offset, filtered, dead_lettered },
      { next_offset: '2', filtered: '1', dead_lettered: '1' },
    );
  });

  test('an abandoned delivery is rolled back whole', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    const blocker = new Client({ connectionString: postgres.url });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE reviews IN ACCESS EXCLUSIVE MODE');
    const abandon = new AbortController();
    const delivery = assert.rejects(sink.deliver(batchOf(reviews(2)), abandon.signal));
    await eventually('the delivery waits for the lock', async () => {
      const waiting = await postgres.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
      return waiting.length > 0;
    });
    abandon.abort();
    await delivery;
    await blocker.end();
    assert.equal(await countOf('reviews'), 0);
    assert.equal((await ledger())['next_offset'], '0');
  });

  test('a database that goes away is down, not the event’s fault, and works again after it is back', async () => {
    const sink = reviewsSink('p', pool);
    await sink.open(start, never);
    await postgres.pause('immediate');
    await assert.rejects(sink.deliver(batchOf(reviews(1)), never), failsWith('down'));
    await postgres.resume();
    await sink.deliver(batchOf(reviews(1)), never);
    assert.equal(await countOf('reviews'), 1);
  });

  test('a statement that runs into its timeout asks for a smaller batch', async () => {
    const impatient = createPool({
      databaseUrl: postgres.url,
      applicationName: 'test',
      connections: 1,
      statementTimeoutMs: 200,
    });
    const sink = reviewsSink('p', impatient);
    await sink.open(start, never);
    await postgres.query(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(0.15); RETURN NEW; END'`);
    await postgres.query('CREATE TRIGGER slow BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION slow()');
    await assert.rejects(sink.deliver(batchOf(reviews(3)), never), failsWith('overloaded'));
    await sink.deliver(batchOf(reviews(1)), never);
    await postgres.query('DROP TRIGGER slow ON reviews; ');
    await impatient.end();
    assert.equal(await countOf('reviews'), 1);
  });

  test('a missing table is the sink’s trouble, never a reason to dead-letter', async () => {
    const error = await pool.query('SELECT * FROM no_such_table').catch((thrown: unknown) => thrown);
    assert.equal(classify(error).kind, 'down');
  });

  const change = (changeId: string, key: string) => ({
    changeId,
    database: 'sre_app',
    table: 'users',
    type: 'INSERT',
    key,
    commitTs: 464043256649875456n,
    committedAtMs: 1770184540709,
    capturedAtMs: 1770184542274,
    old: null,
    data: { id: key, name: 'Ünï "quoted" \\ {},' },
    sql: null,
    traceId: null,
  });

  test('changes are stored once, in log order, and announced with the newest id', async () => {
    const listener = new Client({ connectionString: postgres.url });
    await listener.connect();
    await listener.query('LISTEN change_events');
    const heard = new Promise<string | undefined>(resolve =>
      listener.once('notification', n => resolve(n.payload)),
    );
    const sink = changeStoreSink('c', pool);
    await sink.open(start, never);
    const receipt = await sink.deliver(
      batchOf([change('a', '1'), change('b', '2'), change('a', '1')]),
      never,
    );
    assert.deepEqual([...receipt.duplicates], [2n]);
    const rows = await postgres.query('SELECT id, change_id, commit_ts, data FROM change_events ORDER BY id');
    assert.deepEqual(
      rows.map(row => row['change_id']),
      ['a', 'b'],
    );
    assert.equal(rows[0]?.['commit_ts'], '464043256649875456');
    assert.deepEqual(rows[0]?.['data'], change('a', '1').data);
    assert.equal(await heard, rows[1]?.['id']);
    await listener.end();
  });

  test('ids of concurrent writers of the change store become visible in ascending order', async () => {
    const sinks = await Promise.all(
      [0, 1, 2, 3].map(async number => {
        const sink = changeStoreSink('c', pool);
        await sink.open({ ...start, partition: number }, never);
        return sink;
      }),
    );
    const reader = new Client({ connectionString: postgres.url });
    await reader.connect();
    const writing = new AbortController();
    const follow = followById(reader, writing.signal);
    await Promise.all(
      sinks.map(async (sink, number) => {
        for (let round = 0; round < 10; round += 1) {
          const events = [0, 1, 2].map(n => change(`${number}-${round}-${n}`, '1'));
          await sink.deliver(batchOf(events, BigInt(round * 3), number), never);
        }
      }),
    );
    writing.abort();
    await follow;
    await reader.end();
    assert.equal(await countOf('change_events'), 120);
  });

  test('a dead letter that was written twice is shown once', async () => {
    const sink = deadLetterSink('d', pool);
    await sink.open(start, never);
    const letter = {
      eventId: '0192f3a0-0000-5000-8000-000000000001',
      pipeline: 'p',
      topic: 'events.main',
      partition: 1,
      offset: 42n,
      key: 'k',
      reason: 'invalid',
      error: 'x',
      payload: Buffer.from('not valid json at all'),
      payloadJson: null,
      attempts: 0,
      failedAt: '2026-11-21T10:00:00.000Z',
      keyBytes: null,
      headers: [],
      replays: 0,
      originOffset: 42n,
    };
    const receipt = await sink.deliver(batchOf([letter, letter]), never);
    assert.deepEqual([...receipt.duplicates], [1n]);
    const [row] = await postgres.query('SELECT source_offset, payload_bytes FROM dlq_events');
    assert.equal(row?.['source_offset'], '42');
    assert.deepEqual(row?.['payload_bytes'], letter.payload);
  });
});

/** Reads as a follower does, newest id first seen on; fails when a row appears at or below an id seen before. */
async function followById(reader: Client, done: AbortSignal): Promise<void> {
  let newest = 0;
  let seen = 0;
  while (!done.aborted) {
    const { rows } = await reader.query<{ below: number; total: number; max: number }>(
      `SELECT count(*) FILTER (WHERE id <= $1)::int AS below, count(*)::int AS total, coalesce(max(id), 0)::int AS max
       FROM change_events`,
      [newest],
    );
    const [now] = rows;
    assert.equal(now?.below, seen, 'a row appeared below an id that was visible');
    newest = now?.max ?? 0;
    seen = now?.total ?? 0;
  }
}
