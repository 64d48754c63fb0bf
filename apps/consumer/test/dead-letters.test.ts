import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  auditedPipelines,
  auditPipeline,
  createPool,
  DeadLetterDesk,
  type DeadLetterEntry,
  LogReader,
  type MessageSender,
  type OutgoingMessage,
  type Pool,
  rebuildDeadLetters,
} from '@tidemark/connectors';
import { deadLetterHeaders, headers, pipelines, topics } from '@tidemark/contracts';
import { systemClock } from '@tidemark/kernel';
import { headerText, type SourceRecord } from '@tidemark/pipeline';
import { eventually } from '@tidemark/testkit';
import { changeMessage, reviewMessage } from './messages.ts';
import { type ConsumerProcess, type Stack, startStack } from './stack.ts';

const longWait = { withinMs: 60_000 };
const actor = { name: 'operator@example.com', why: 'a test' };

describe('dead letters, from the topic to the table and back', () => {
  let stack: Stack;
  let consumer: ConsumerProcess;
  let pool: Pool;
  let log: LogReader;
  let desk: DeadLetterDesk;
  before(async () => {
    stack = await startStack();
    consumer = await stack.startConsumer();
    pool = createPool({ databaseUrl: stack.postgres.url, applicationName: 'desk', connections: 2 });
    log = new LogReader(stack.connection);
    desk = deskWith(stack.sender);
  });
  after(async () => {
    await log?.close();
    await pool?.end();
    await stack?.stop();
  });

  const deskWith = (sender: MessageSender) => new DeadLetterDesk(pool, sender, systemClock);
  const lettersOf = (key: string) => desk.list({ key, status: 'open' });
  const untilLettered = (key: string, count = 1) =>
    eventually(
      `${count} dead letters of ${key}`,
      async () => {
        const found = await lettersOf(key);
        return found.length === count && found;
      },
      longWait,
    );
  const only = (letters: readonly DeadLetterEntry[]): DeadLetterEntry =>
    letters[0] ?? assert.fail('no letter');
  const reviewOf = async (message: OutgoingMessage) => {
    const { payload } = JSON.parse(String(message.value)) as { payload: { review_id: string } };
    const rows = await stack.postgres.query<{ rating: number; text: string }>(
      'SELECT rating, text FROM reviews WHERE review_id = $1',
      [payload.review_id],
    );
    return rows[0];
  };
  const readAll = async (topic: string, partition: number): Promise<SourceRecord[]> => {
    const end = (await log.ends(topic))[partition] ?? 0n;
    const found: SourceRecord[] = [];
    for await (const records of log.read(topic, partition, 0n, end)) found.push(...records);
    return found;
  };
  const rating = (payload: string | null, value: number) =>
    Buffer.from((payload ?? '').replace(/"rating":-?\d+/, `"rating":${value}`));
  const audited = async () => {
    const reports = [];
    for (const pipeline of auditedPipelines)
      reports.push(await auditPipeline(pipeline, stack.connection, pool));
    return reports;
  };
  const assertBalanced = async () => {
    for (const { pipeline, partitions, balanced } of await audited()) {
      const doubts = partitions.filter(found => !found.balanced);
      assert.ok(
        balanced,
        `${pipeline}: ${JSON.stringify(doubts, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
      );
    }
  };

  test('the record lies in the topic byte for byte, with every documented header beside its own', async () => {
    const original: OutgoingMessage = {
      topic: topics.events,
      partition: 2,
      key: Buffer.from([0xff, 0x00, 0x80]),
      value: Buffer.from([0xfe, 0x00, 0x01]),
      headers: [
        [headers.traceparent, Buffer.from('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')],
        ['twice', Buffer.from('a')],
        ['twice', Buffer.from('b')],
        ['null', null],
        ['binary', Buffer.from([0xff, 0x00])],
      ],
      timestampMs: Date.UTC(2026, 10, 21, 9),
    };
    await stack.sender.send([original]);
    const [letter] = await eventually(
      'the letter is in the topic',
      async () => {
        const found = await readAll(topics.deadLetters, 0);
        return found.length > 0 && found;
      },
      longWait,
    );
    assert.ok(letter);
    assert.deepEqual([letter.key, letter.value], [original.key, original.value]);
    const own = letter.headers.slice(0, 5).map(([name, value]) => [name.toString(), value]);
    assert.deepEqual(own, original.headers);
    const added = letter.headers.slice(5).map(([name]) => name.toString());
    assert.deepEqual(added.toSorted(), Object.values(deadLetterHeaders).toSorted());
    const of = (name: keyof typeof deadLetterHeaders) => headerText(letter, deadLetterHeaders[name]);
    assert.deepEqual(
      [
        of('topic'),
        of('partition'),
        of('offset'),
        of('timestamp'),
        of('group'),
        of('pipeline'),
        of('attempts'),
      ],
      [
        topics.events,
        '2',
        '0',
        String(original.timestampMs),
        'streamsre-consumer',
        pipelines.reviewsToPostgres,
        '0',
      ],
    );
    assert.deepEqual(
      [of('reason'), of('errorClass'), of('errorMessage')],
      ['undecodable', 'undecodable', 'not a JSON object'],
    );
    for (const name of ['firstFailedAt', 'lastFailedAt'] as const) {
      assert.ok(Math.abs(Date.parse(of(name) ?? '') - Date.now()) < 60_000, name);
    }
  });

  test('what the table cannot hold as JSON, and what is as large as its topic takes, is one dead letter each and no more', async () => {
    const awkward = ['{"a":1e999999}', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'x'.repeat(1_048_400)];
    for (const value of awkward) {
      await stack.sender.send([
        { topic: topics.events, key: Buffer.from('awkward'), value: Buffer.from(value) },
      ]);
    }
    const letters = await untilLettered('awkward', awkward.length);
    assert.deepEqual(
      letters.map(({ pipeline }) => pipeline),
      awkward.map(() => pipelines.reviewsToPostgres),
    );
    const whole = await Promise.all(letters.map(({ id }) => desk.show(id)));
    assert.deepEqual(new Set(whole.map(({ payload }) => payload)), new Set(awkward));
    const again = await stack.postgres.query(`SELECT FROM dlq_events WHERE pipeline = $1`, [
      pipelines.deadLettersToPostgres,
    ]);
    assert.equal(again.length, 0, 'no dead letter was dead-lettered');
  });

  test('a replayed review never overwrites what is newer: the row that is there stays', async () => {
    const old = reviewMessage('user:older', -5);
    await stack.sender.send([old]);
    const letter = only(await untilLettered('user:older'));
    // The same review, told by a newer event.
    const event = JSON.parse(String(old.value)) as { event_id: string; payload: object };
    const newer = {
      ...event,
      event_id: crypto.randomUUID(),
      payload: { ...event.payload, rating: 3, text: 'newer' },
    };
    await stack.sender.send([{ ...old, value: Buffer.from(JSON.stringify(newer)) }]);
    await eventually('the newer one is there', async () => (await reviewOf(old)) !== undefined, longWait);
    await desk.edit(letter.id, rating(letter.payload, 5), actor);
    await desk.replay({ ids: [letter.id] }, actor);
    const refused = only(await untilLettered('user:older'));
    assert.deepEqual([refused.reason, refused.error.slice(0, 6)], ['refused_by_sink', '23505:']);
    assert.deepEqual(await reviewOf(old), { rating: 3, text: 'newer' });
    await desk.discard({ ids: [refused.id] }, actor);
  });

  test('a replayed change keeps its version, goes where its key is, and is for the pipeline that had refused it', async () => {
    const newer = changeMessage(77, 9);
    const older = { ...changeMessage(77, 5), partition: 1 };
    await stack.sender.send([{ ...older, value: Buffer.from('{"torn":') }]);
    // Both pipelines that read the changes refuse it.
    const letters = await untilLettered('77', 2);
    const letter = letters.find(({ pipeline }) => pipeline === pipelines.changesToStore) ?? assert.fail();
    await stack.sender.send([{ ...newer, partition: 1 }]);
    const stored = () =>
      stack.postgres.query<{ commit_ts: string }>(
        `SELECT commit_ts FROM change_events WHERE table_name = 'accounts' AND key = '77' ORDER BY commit_ts DESC`,
      );
    await eventually('the newer change is stored', async () => (await stored()).length === 1, longWait);
    await desk.edit(letter.id, older.value ?? Buffer.alloc(0), actor);
    await desk.replay({ ids: [letter.id] }, actor);
    await eventually('the older one is in the history', async () => (await stored()).length === 2, longWait);
    assert.deepEqual(
      (await stored()).map(row => row.commit_ts),
      ['9', '5'],
      'the state of the row, by version, is still the newer one',
    );
    assert.equal((await readAll(topics.changes, 1)).length, 3, 'it lies behind the newer change of its key');
    await eventually('the log passed over it', async () => {
      const metrics = await (await consumer.get('/metrics')).text();
      return /events_processed_total\{pipeline="changes-to-log",result="filtered"\} 1\b/.test(metrics);
    });
    await desk.discard({ key: '77' }, actor);
  });

  test('a replay that crashed after its sending is repeated without a second effect or a second letter', async () => {
    const good = reviewMessage('user:crash', -1);
    const bad = reviewMessage('user:crash', -2);
    await stack.sender.send([good, bad]);
    const letters = await untilLettered('user:crash', 2);
    const mended = letters.find(({ error }) => error.includes('-1')) ?? assert.fail();
    await desk.edit(mended.id, rating(mended.payload, 4), actor);
    const crashing: MessageSender = {
      ...stack.sender,
      async send(messages) {
        await stack.sender.send(messages);
        throw new Error('the power went');
      },
    };
    await assert.rejects(
      deskWith(crashing).replay({ key: 'user:crash' }, actor, { eventsPerSec: 1000 }),
      /power/,
    );
    assert.equal((await desk.show(mended.id)).status, 'open', 'nothing was written down');
    const repeated = await desk.replay({ ids: letters.map(({ id }) => id) }, actor);
    assert.equal(repeated.sent.length, 2);
    await eventually('it takes effect', async () => (await reviewOf(good))?.rating === 4, longWait);
    await eventually(
      'both copies of the bad one were read',
      async () => {
        const copies = (await readAll(topics.deadLetters, 0)).filter(
          record => record.key?.toString() === 'user:crash' && headerText(record, 'tidemark-replays') === '1',
        );
        return copies.length === 2;
      },
      longWait,
    );
    await eventually(
      'the table has it once',
      async () => {
        const open = await lettersOf('user:crash');
        return open.length === 1 && open[0]?.replays === 1;
      },
      longWait,
    );
    const rows = await stack.postgres.query(`SELECT FROM reviews WHERE user_key = 'user:crash'`);
    assert.equal(rows.length, 1);
    await eventually(
      'the books balance',
      async () => {
        await assertBalanced();
        return true;
      },
      longWait,
    );
  });

  test('of two people who replay at the same time one sends; the rate is kept', async () => {
    await stack.sender.send(Array.from({ length: 30 }, () => reviewMessage('user:two', 9)));
    await untilLettered('user:two', 30);
    const startedMs = performance.now();
    const options = { eventsPerSec: 150 };
    const results = await Promise.all([
      desk.replay({ key: 'user:two' }, actor, options),
      deskWith(stack.sender).replay({ key: 'user:two' }, actor, options),
    ]);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs > 190, `30 events at 150 a second took ${tookMs} ms`);
    const sent = results.flatMap(result => result.sent);
    assert.equal(new Set(sent).size, sent.length, 'nothing was sent twice');
    const again = await untilLettered('user:two', 30);
    assert.ok(again.every(({ replays }) => replays === 1));
    await desk.discard({ key: 'user:two' }, actor);
  });

  test('the table can be built again from the topic and the log of actions, while everything runs', async () => {
    const table = () =>
      stack.postgres.query(
        `SELECT event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error, payload_bytes,
           edited, attempts, failed_at, key_bytes, headers, replays, status FROM dlq_events ORDER BY event_id`,
      );
    const complete = await table();
    assert.ok(
      complete.some(row => row['status'] === 'replayed') && complete.some(row => row['edited'] !== null),
    );
    await stack.postgres.query('DELETE FROM dlq_events');
    const reviews = await auditPipeline(pipelines.reviewsToPostgres, stack.connection, pool);
    assert.ok(reviews.balanced, 'the audit asks the topic, which is the truth');
    const lost = await auditPipeline(pipelines.deadLettersToPostgres, stack.connection, pool);
    assert.equal(lost.balanced, false, 'but the table is not what it should be');
    const { restored } = await rebuildDeadLetters(stack.connection, pool);
    assert.equal(restored, complete.length);
    const built = new Set((await table()).map(row => JSON.stringify(row)));
    assert.deepEqual(
      complete.filter(row => !built.has(JSON.stringify(row))).map(row => row['event_id']),
      [],
    );
    assert.equal((await rebuildDeadLetters(stack.connection, pool)).restored, 0);
    await assertBalanced();
  });

  test('the audit bears forgotten ids and a log that was cut, and still names what is missing', async () => {
    const kept = reviewMessage('user:audit', 5);
    await stack.sender.send([kept, reviewMessage('user:audit', 4)]);
    await eventually('they are there', async () => (await reviewOf(kept)) !== undefined, longWait);
    const audit = () => auditPipeline(pipelines.reviewsToPostgres, stack.connection, pool);
    await eventually('and booked', async () => (await audit()).balanced, longWait);
    const ids = `SELECT event_id FROM processed_events`;
    const all = await stack.postgres.query<{ event_id: string }>(ids);
    await stack.postgres.query('DELETE FROM processed_events');
    const doubtful = await audit();
    assert.equal(
      doubtful.partitions.reduce((sum, found) => sum + found.doubtful, 0),
      doubtful.partitions.reduce((sum, found) => sum + found.ledger.delivered + found.ledger.duplicate, 0),
      'every event whose id is gone too early is in doubt',
    );
    await stack.postgres.query(`UPDATE maintenance SET horizon = now() + interval '1 hour'`);
    assert.ok((await audit()).balanced, 'ids beyond the horizon may be gone: the rows themselves are there');
    await stack.postgres.query(`DELETE FROM reviews WHERE user_key = 'user:audit'`);
    const expired = await audit();
    assert.ok(expired.balanced);
    assert.equal(
      expired.partitions.reduce((sum, { recounted }) => sum + recounted.expired, 0),
      2,
    );
    await stack.postgres.query('UPDATE maintenance SET horizon = NULL');
    await stack.postgres.query('INSERT INTO processed_events SELECT unnest($1::uuid[])', [
      all.map(row => row.event_id),
    ]);
    await stack.deleteRecordsBelow(topics.events, 2, 1n);
    const cut = await audit();
    assert.ok(cut.balanced);
    const partition = cut.partitions.find(found => found.partition === 2);
    assert.deepEqual([partition?.logStart, partition?.recounted.gone], [1n, 1]);
    await stack.postgres.query(
      `UPDATE pipeline_positions SET read = read + 2, filtered = filtered + 2
       WHERE pipeline = $1 AND partition = 2`,
      [pipelines.reviewsToPostgres],
    );
    assert.equal((await audit()).balanced, false, 'one record is gone, so two cannot be booked for it');
    await stack.postgres.query(
      `UPDATE pipeline_positions SET next_offset = next_offset + 9, read = read + 7, filtered = filtered + 7
       WHERE pipeline = $1 AND partition = 2`,
      [pipelines.reviewsToPostgres],
    );
    const beyond = (await audit()).partitions.find(found => found.partition === 2);
    assert.match(
      beyond?.doubts[0]?.why ?? '',
      /^the log ends at \d+:/,
      'a position beyond the log is no balance',
    );
  });
});
