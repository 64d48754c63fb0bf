import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  createPool,
  type Pool,
  processedEventsHorizonMs,
  retainProcessedEvents,
  reviewsSink,
} from '@tidemark/connectors';
import { uuidV7Maker } from '@tidemark/connectors/synthetic';
import type { ReviewCreated } from '@tidemark/contracts';
import { seededRandom } from '@tidemark/kernel';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { asDeliveryError } from '@tidemark/pipeline';
import { batchOf } from './records.ts';
import { review } from './reviews.ts';

const never = new AbortController().signal;
const dayMs = 86_400_000;
const today = Date.UTC(2026, 10, 21, 15);
const start = { topic: 'events.main', partition: 0, nextOffset: 0n };

/** An id of version 7 that was made at a time. */
function idAt(ms: number): string {
  return uuidV7Maker(() => ms)();
}

describe('the retention of the ids of processed events', () => {
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
  afterEach(() => postgres.query('TRUNCATE reviews, processed_events, pipeline_positions, maintenance'));

  const retain = (nowMs: number, holder = 'me', keepMs = 3 * dayMs) =>
    retainProcessedEvents({ pool, holder, keepMs, leaseMs: 60_000 }, nowMs);
  const partitionOf = async (id: string) => {
    const rows = await postgres.query<{ name: string }>(
      'SELECT tableoid::regclass::text AS name FROM processed_events WHERE event_id = $1',
      [id],
    );
    return rows.map(({ name }) => name);
  };
  const process = (id: string, processedAtMs: number) =>
    postgres.query('INSERT INTO processed_events (event_id, processed_at) VALUES ($1, $2)', [
      id,
      new Date(processedAtMs),
    ]);
  const deliver = async (events: readonly ReviewCreated[], pipeline: string) => {
    const sink = reviewsSink(pipeline, pool);
    await sink.open(start, never);
    return (await sink.deliver(batchOf(events), never)).duplicates.size;
  };

  /** As the pipeline does: what is transient is tried again. */
  const deliverPatiently = (events: readonly ReviewCreated[], round: number) =>
    deliver(events, `round ${round}`).catch((error: unknown) => {
      assert.equal(asDeliveryError(error).kind, 'transient');
      throw error;
    });

  test('an id has one place, made from itself: a day of its own, or the table of the others', async () => {
    const early = idAt(today);
    await process(early, today);
    assert.deepEqual(await partitionOf(early), ['processed_events_other']);
    await retain(today);
    assert.deepEqual(await partitionOf(early), ['processed_events_d20261121'], 'it moved into its day');
    const [tomorrow, random, old, future] = [
      idAt(today + dayMs),
      randomUUID(),
      idAt(today - dayMs),
      idAt(today * 2),
    ];
    for (const id of [tomorrow, random, old, future]) await process(id, today);
    assert.deepEqual(await partitionOf(tomorrow), ['processed_events_d20261122']);
    for (const id of [random, old, future])
      assert.deepEqual(await partitionOf(id), ['processed_events_other']);
    for (const id of [early, tomorrow, random, old, future]) {
      await assert.rejects(process(id, today), /duplicate key/, 'the key holds over all partitions');
    }
  });

  test('an event is recognised wherever its id lies, with other events around it, whatever days are made or dropped', async t => {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed);
    const idsOf = (nowMs: number) => [
      ...Array.from({ length: 20 }, () => idAt(nowMs + Math.floor((random() * 6 - 3) * dayMs))),
      ...Array.from({ length: 10 }, () => randomUUID()),
    ];
    let known: ReviewCreated[] = [];
    for (let day = 0; day < 4; day += 1) {
      const nowMs = today + day * dayMs;
      const events = idsOf(nowMs).map(event_id => ({ ...review(), event_id }));
      const mixed = [...events, ...known].sort(() => random() - 0.5);
      assert.equal(await deliver(mixed, `p${day}`), known.length);
      known = [...known, ...events];
      await postgres.query(`UPDATE processed_events SET processed_at = $1 WHERE event_id = ANY($2::uuid[])`, [
        new Date(nowMs),
        events.map(event => event.event_id),
      ]);
      await retain(nowMs, 'me', 10 * dayMs);
    }
    assert.equal(await deliver(known, 'again'), known.length);
    const rows = await postgres.query('SELECT count(*)::int AS n FROM reviews');
    assert.equal(rows[0]?.['n'], known.length);
  });

  test('what took effect longer ago than the window is forgotten, and nothing else, late events included', async () => {
    await retain(today);
    const [due, late, random, randomDue] = [idAt(today), idAt(today + 1), randomUUID(), randomUUID()];
    await process(due, today);
    await process(randomDue, today);
    await process(late, today + 4 * dayMs); // it waited in a backlog
    await process(random, today + 4 * dayMs);
    const before = await retain(today + 3 * dayMs);
    assert.equal(before?.forgotten, 0, 'exactly the window is not longer than the window');
    const result = await retain(today + 5 * dayMs);
    assert.equal(result?.forgotten, 2);
    for (const id of [due, randomDue]) assert.deepEqual(await partitionOf(id), []);
    for (const id of [late, random]) assert.deepEqual(await partitionOf(id), ['processed_events_other']);
    assert.equal(await processedEventsHorizonMs(pool), today + 2 * dayMs);
    assert.equal((await retain(today + 8 * dayMs))?.forgotten, 2);
  });

  test('of several processes one does it, and another takes over when the lease has run out', async () => {
    const both = await Promise.all(['a', 'b'].map(holder => retain(today, holder)));
    assert.equal(both.filter(result => result !== undefined).length, 1);
    const [row] = await postgres.query<{ holder: string }>('SELECT holder FROM maintenance');
    const other = row?.holder === 'a' ? 'b' : 'a';
    assert.equal(await retain(today, other), undefined);
    assert.ok(await retain(today, row?.holder), 'who holds it goes on');
    await postgres.query(`UPDATE maintenance SET lease_until = now() - interval '1 second'`);
    assert.ok(await retain(today, other));
  });

  test('sinks go on while days are made and dropped', async () => {
    await retain(today);
    let delivered = 0;
    const dropping = (async () => {
      // A lock that is not to be had in time, or a deadlock, ends one run; the next one tries again.
      for (let day = 0; day < 12; day += 1) {
        await eventually('the retention is applied', () => retain(today + day * dayMs, 'me', dayMs));
      }
    })();
    for (let round = 0; round < 30; round += 1) {
      const events = Array.from({ length: 20 }, () => ({
        ...review(),
        event_id: idAt(today + (round % 12) * dayMs),
      }));
      delivered += await eventually(
        'a batch is delivered',
        async () => 20 - (await deliverPatiently(events, round)),
      );
    }
    await dropping;
    assert.equal(delivered, 600);
    const [row] = await postgres.query('SELECT count(*)::int AS n FROM reviews');
    assert.equal(row?.['n'], 600);
  });
});
