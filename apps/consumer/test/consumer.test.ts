import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditPipeline, createPool, DeadLetterDesk } from '@tidemark/connectors';
import { topics } from '@tidemark/contracts';
import { systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { changeMessage, reviewMessage, reviewMessages } from './messages.ts';
import { type ConsumerProcess, type Stack, startStack } from './stack.ts';

interface Books {
  readonly read: number;
  readonly delivered: number;
  readonly duplicate: number;
  readonly dead_lettered: number;
}

const longWait = { withinMs: 60_000 };

describe('the consumer on a real broker and a real database', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack();
  });
  after(() => stack.stop());

  const books = async (pipeline: string): Promise<Books> => {
    const [row] = await stack.postgres.query<Record<keyof Books, string>>(
      `SELECT coalesce(sum(read), 0) AS read, coalesce(sum(delivered), 0) AS delivered,
         coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(dead_lettered), 0) AS dead_lettered
       FROM pipeline_positions WHERE pipeline = '${pipeline}'`,
    );
    const number = (name: keyof Books) => Number(row?.[name] ?? 0);
    return {
      read: number('read'),
      delivered: number('delivered'),
      duplicate: number('duplicate'),
      dead_lettered: number('dead_lettered'),
    };
  };
  const countOf = async (table: string) =>
    Number((await stack.postgres.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n);
  const readyStatus = async (consumer: ConsumerProcess) => (await consumer.get('/readyz')).status;
  const untilReady = (consumer: ConsumerProcess) =>
    eventually('the consumer is ready', async () => (await readyStatus(consumer)) === 200, longWait);
  /** Waits until so many reviews events were read, and returns the books. */
  const untilRead = (read: number) =>
    eventually(
      `${read} review events are read`,
      async () => {
        const now = await books('reviews-to-postgres');
        return now.read >= read ? now : undefined;
      },
      longWait,
    );

  test('good events take effect, repeats do not, poison goes to the dead letters, and the books balance', async () => {
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    const good = reviewMessages(500);
    const repeats = good.slice(0, 20);
    const huge = Buffer.from(JSON.stringify({ event_type: 'review_created', filler: 'x'.repeat(900_000) }));
    const poison = [
      { topic: topics.events, key: Buffer.from('k'), value: Buffer.from('not valid json at all') },
      { topic: topics.events, key: undefined, value: undefined },
      { topic: topics.events, key: undefined, value: huge },
      reviewMessage('user:1', -5),
    ];
    await stack.sender.send([...good, ...poison, ...repeats]);
    const { read, delivered, duplicate, dead_lettered } = await untilRead(524);
    assert.deepEqual(
      { read, delivered, duplicate, dead_lettered },
      { read: 524, delivered: 500, duplicate: 20, dead_lettered: 4 },
    );
    assert.equal(await countOf('reviews'), 500);
    await eventually('the dead letters can be browsed', async () => (await countOf('dlq_events')) === 4);
    const metrics = await (await consumer.get('/metrics')).text();
    assert.match(metrics, /events_processed_total\{pipeline="reviews-to-postgres",result="success"\} 500/);
    assert.match(metrics, /dead_letters_total\{pipeline="reviews-to-postgres",reason="business_rule"\} 1/);
    assert.match(metrics, /pipeline_unaccounted_events\{pipeline="reviews-to-postgres"\} 0/);
    // What alerts need besides: counters that exist before their first event, the pipeline's group, its age, the pool.
    assert.match(metrics, /dead_letters_total\{pipeline="reviews-to-postgres",reason="refused_by_sink"\} 0/);
    assert.match(
      metrics,
      /pipeline_info\{pipeline="reviews-to-postgres",group="[^"]+",topic="events.main"\} 1/,
    );
    assert.match(metrics, /pipeline_oldest_pending_seconds\{pipeline="reviews-to-postgres"\} \d/);
    assert.match(metrics, /rebalances_total\{pipeline="reviews-to-postgres"\} [1-9]/);
    assert.match(metrics, /db_pool_limit_connections 4/);
    assert.equal(await consumer.kill('SIGTERM'), 0);
  });

  test('every change is stored once and logged as a line, with all digits of its numbers', async () => {
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    const first = 9_007_199_254_740_993n; // 2^53 + 1: one more than a JavaScript number can tell
    const changes = Array.from({ length: 60 }, (_, index) => changeMessage(index % 5, index + 1));
    const exact = changeMessage(99, 0);
    const value = Buffer.from(exact.value?.toString().replace('"commitTs":0', `"commitTs":${first}`) ?? '');
    await stack.sender.send([...changes, ...changes.slice(0, 10), { ...exact, value }]);
    await eventually(
      'the changes are stored',
      async () => (await books('changes-to-store')).read === 71,
      longWait,
    );
    assert.equal(await countOf('change_events'), 61);
    assert.equal((await books('changes-to-store')).duplicate, 10);
    const rows = await stack.postgres.query<{ key: string; commit_ts: string }>(
      'SELECT key, commit_ts FROM change_events ORDER BY id',
    );
    for (const key of ['0', '1', '2', '3', '4']) {
      const sequence = rows.filter(row => row.key === key).map(row => Number(row.commit_ts));
      assert.deepEqual(
        sequence,
        sequence.toSorted((a, b) => a - b),
      );
    }
    const lines = await eventually('the lines are written', () => {
      const found = consumer
        .output()
        .split('\n')
        .filter(line => line.includes('"action":"db_change"'));
      return found.length >= 71 ? found : undefined;
    });
    const parsed = lines.map(line => JSON.parse(line) as Record<string, unknown>);
    assert.ok(parsed.every(line => line['topic'] === topics.changes && typeof line['payload'] === 'object'));
    assert.ok(lines.some(line => line.includes(`"commitTs":${first}`)));
    assert.match(
      await (await consumer.get('/metrics')).text(),
      /cdc_events_total\{table="accounts",op="insert"\} 61/,
    );
    await consumer.kill('SIGTERM');
  });

  test('kill -9 in the middle of the work, and consumers that come and go: nothing lost, nothing twice', async () => {
    const before = await books('reviews-to-postgres');
    const reviewsBefore = await countOf('reviews');
    const victim = await stack.startConsumer({ BATCH_EVENTS: '50' });
    await untilReady(victim);
    const total = 6000;
    const sending = (async () => {
      for (let sent = 0; sent < total; sent += 500) await stack.sender.send(reviewMessages(500));
    })();
    await untilRead(before.read + 500);
    await victim.kill('SIGKILL');
    const survivor = await stack.startConsumer({ BATCH_EVENTS: '50' });
    const guest = await stack.startConsumer({ BATCH_EVENTS: '50' });
    await sending;
    await untilRead(before.read + 3000);
    assert.equal(await guest.kill('SIGTERM'), 0);
    const after = await untilRead(before.read + total);
    assert.equal(after.delivered - before.delivered, total);
    assert.equal(after.duplicate, before.duplicate);
    assert.equal(await countOf('reviews'), reviewsBefore + total);
    await survivor.kill('SIGTERM');
  });

  test('a consumer that is stopped past its session and wakes up again cannot write for the partitions it lost', async () => {
    const before = await books('reviews-to-postgres');
    const reviewsBefore = await countOf('reviews');
    const short = { BATCH_EVENTS: '20' };
    const sleeper = await stack.startConsumer(short);
    await untilReady(sleeper);
    await stack.sender.send(reviewMessages(2000));
    await untilRead(before.read + 20);
    sleeper.signal('SIGSTOP');
    const heir = await stack.startConsumer(short);
    await stack.sender.send(reviewMessages(1000));
    await untilRead(before.read + 3000);
    sleeper.signal('SIGCONT');
    await stack.sender.send(reviewMessages(1000));
    const after = await untilRead(before.read + 4000);
    assert.equal(after.delivered - before.delivered, 4000);
    assert.equal(after.duplicate, before.duplicate);
    assert.equal(await countOf('reviews'), reviewsBefore + 4000);
    await untilReady(sleeper);
    await heir.kill('SIGTERM');
    await sleeper.kill('SIGTERM');
  });

  test('the database goes away under load: readiness says so, nothing is dead-lettered, work resumes by itself', async () => {
    const before = await books('reviews-to-postgres');
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    await stack.sender.send(reviewMessages(1000));
    await stack.postgres.pause('immediate');
    await stack.sender.send(reviewMessages(1000));
    await eventually('readiness says so', async () => (await readyStatus(consumer)) === 503, longWait);
    await stack.postgres.resume();
    const after = await untilRead(before.read + 2000);
    assert.equal(after.delivered - before.delivered, 2000);
    assert.equal(after.dead_lettered, before.dead_lettered);
    await untilReady(consumer);
    await consumer.kill('SIGTERM');
  });

  test('the broker is restarted under load: the consumer comes back by itself and loses nothing', async () => {
    const before = await books('reviews-to-postgres');
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    await stack.sender.send(reviewMessages(1000));
    await stack.restartBroker();
    await eventually('events can be sent again', async () => {
      await stack.sender.send(reviewMessages(1));
      return true;
    });
    const marker = reviewMessages(200);
    await stack.sender.send(marker);
    await eventually(
      'the last events are there',
      async () => {
        const ids = marker.map(
          message => (JSON.parse(String(message.value)) as { event_id: string }).event_id,
        );
        const [row] = await stack.postgres.query<{ n: string }>(
          'SELECT count(*) AS n FROM processed_events WHERE event_id = ANY($1)',
          [ids],
        );
        return Number(row?.n) === 200;
      },
      longWait,
    );
    const after = await books('reviews-to-postgres');
    assert.ok(after.delivered - before.delivered >= 1201);
    assert.equal(after.delivered, await countOf('reviews'));
    await untilReady(consumer);
    const { items } = (await (await consumer.get('/pipelines')).json()) as {
      items: { name: string; state: string }[];
    };
    assert.deepEqual(
      items.map(({ name, state }) => [name, state]),
      [
        ['changes-to-log', 'running'],
        ['changes-to-store', 'running'],
        ['reviews-to-postgres', 'running'],
        ['dead-letters-to-postgres', 'running'],
      ],
    );
    assert.equal(await consumer.kill('SIGTERM'), 0);
  });

  test('a pipeline can be paused, resumed and slowed down while it runs, and keeps its membership', async () => {
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    const post = async (path: string) => (await consumer.post(`/pipelines/${path}`)).status;
    assert.equal(await post('reviews-to-postgres/pause'), 200);
    const before = await books('reviews-to-postgres');
    await stack.sender.send(reviewMessages(300));
    await eventually('the events are queued', async () => {
      const { items } = (await (await consumer.get('/pipelines')).json()) as {
        items: { name: string; state: string; queuedRecords: number }[];
      };
      const found = items.find(({ name }) => name === 'reviews-to-postgres');
      return found?.state === 'paused' && found.queuedRecords === 300;
    });
    assert.equal((await books('reviews-to-postgres')).read, before.read);
    assert.equal(await readyStatus(consumer), 200);
    assert.equal(await post('reviews-to-postgres/settings?eventsPerSec=0'), 400);
    assert.equal(await post('reviews-to-postgres/settings?eventsPerSec=1000&concurrency=1'), 200);
    assert.equal(await post('nobody/pause'), 404);
    assert.equal(await post('reviews-to-postgres/resume'), 200);
    assert.equal((await untilRead(before.read + 300)).delivered - before.delivered, 300);
    await consumer.kill('SIGTERM');
  });

  test('dead letters are corrected and replayed, each with who and why; replays are capped', async () => {
    const pool = createPool({ databaseUrl: stack.postgres.url, applicationName: 'desk', connections: 1 });
    const desk = new DeadLetterDesk(pool, stack.sender, systemClock);
    const actor = { name: 'operator@example.com', why: 'the producer sent a wrong rating' };
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    try {
      const wrong = reviewMessage('user:desk', -5);
      await stack.sender.send([wrong]);
      const find = () => desk.list({ key: 'user:desk', status: 'open' });
      const letter = await eventually('the dead letter is there', async () => (await find())[0], longWait);
      assert.deepEqual((await desk.replay({ key: 'user:desk' }, actor, { dryRun: true })).sent, [letter.id]);
      assert.equal((await desk.show(letter.id)).status, 'open');

      await desk.replay({ ids: [letter.id] }, actor);
      const again = await eventually('it comes back', async () => (await find())[0], longWait);
      assert.notEqual(again.id, letter.id);
      assert.equal(again.replays, 1);
      assert.deepEqual(await desk.replay({ ids: [again.id] }, actor, { replaysMax: 1 }), {
        sent: [],
        overCap: [again.id],
        homeless: [],
        blocked: [],
        incomplete: [],
        remaining: 0,
      });

      await desk.edit(
        again.id,
        Buffer.from(again.payload?.replace('"rating":-5', '"rating":5') ?? ''),
        actor,
      );
      await desk.replay({ ids: [again.id] }, actor);
      const { payload } = JSON.parse(String(wrong.value)) as { payload: { review_id: string } };
      await eventually('the corrected event takes effect', async () => {
        const rows = await stack.postgres.query(
          `SELECT 1 FROM reviews WHERE review_id = '${payload.review_id}'`,
        );
        return rows.length === 1;
      });
      await assert.rejects(desk.discard({ ids: [letter.id] }, actor), /was replayed already/);
      const { actions } = await desk.show(again.id);
      assert.deepEqual(
        actions.map(({ action, who, why }) => [action, who, why]),
        [
          ['edit', actor.name, actor.why],
          ['replay', actor.name, actor.why],
        ],
      );
      await assert.rejects(desk.show('00000000-0000-5000-8000-000000000000'), /there is no dead letter/);
    } finally {
      await pool.end();
      await consumer.kill('SIGTERM');
    }
  });

  test('an audit recounts the log against the sinks: balanced, and a lost effect is named by its offset', async () => {
    const pool = createPool({ databaseUrl: stack.postgres.url, applicationName: 'audit', connections: 1 });
    const consumer = await stack.startConsumer();
    await untilReady(consumer);
    try {
      for (const pipeline of ['reviews-to-postgres', 'changes-to-store', 'dead-letters-to-postgres']) {
        const report = await auditPipeline(pipeline, stack.connection, pool);
        assert.deepEqual(
          report.partitions.flatMap(({ doubts }) => doubts),
          [],
        );
        assert.ok(report.balanced, pipeline);
        assert.ok(report.partitions.reduce((sum, { recounted }) => sum + recounted.seen, 0) > 0);
      }
      const [victim] = await stack.postgres.query<{ partition: number; kafka_offset: string }>(
        'DELETE FROM change_events WHERE id = (SELECT max(id) FROM change_events) RETURNING partition, kafka_offset',
      );
      const { balanced, partitions } = await auditPipeline('changes-to-store', stack.connection, pool);
      assert.equal(balanced, false);
      const [doubt] = partitions.flatMap(({ doubts }) => doubts);
      assert.equal(doubt?.partition, victim?.partition);
      assert.equal(String(doubt?.offset), victim?.kafka_offset);
    } finally {
      await pool.end();
      await consumer.kill('SIGTERM');
    }
  });
});
