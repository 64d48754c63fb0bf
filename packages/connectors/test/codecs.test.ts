import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  deadLetterId,
  decodeChange,
  decodeDeadLetter,
  decodeReview,
  kafkaDeadLetters,
} from '@tidemark/connectors';
import { ReviewCreated } from '@tidemark/contracts';
import type { DeadLetter } from '@tidemark/pipeline';
import * as fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { record } from './records.ts';
import { review } from './reviews.ts';

const encoded = (value: unknown) => record({ value: Buffer.from(JSON.stringify(value)) });

test('a review event is read, and fields that this version does not know survive', () => {
  const event = { ...review(), added_later: { by: 'somebody' } };
  assert.deepEqual(decodeReview(encoded(event)), { fate: 'deliver', event });
});

test('a fault names its field', () => {
  const { rating: _rating, ...withoutRating } = review().payload;
  const faults: [unknown, string, RegExp][] = [
    [{ ...review(), event_id: 'x' }, 'invalid', /^event_id /],
    [{ ...review(), event_type: 'other' }, 'invalid', /^event_type /],
    [{ ...review(), key: '' }, 'invalid', /^key /],
    [{ ...review(), ts: 'yesterday' }, 'invalid', /^ts /],
    [{ ...review(), schema_version: 2 }, 'invalid', /^schema_version is 2; this reader knows 1 to 1/],
    [{ ...review(), payload: withoutRating }, 'invalid', /^payload\.rating /],
    [review({ text: 'a\0b' }), 'invalid', /^payload\.text /],
    [review({ rating: -5 }), 'business_rule', /^payload\.rating is -5, outside 1–5/],
    [[], 'undecodable', /not a JSON object/],
  ];
  for (const [event, reason, message] of faults) {
    const decision = decodeReview(encoded(event));
    assert.equal(decision.fate, 'rejected');
    assert.equal(decision.reason, reason);
    assert.match(decision.message, message);
  }
  const garbage = decodeReview(record({ value: Buffer.from('not valid json at all') }));
  assert.equal(garbage.fate === 'rejected' && garbage.reason, 'undecodable');
});

test('the hand-written reader accepts nothing that the schema of the contracts refuses', () => {
  const schema = Compile(ReviewCreated);
  const field = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant('2026-11-21T10:00:00Z'));
  const changes = fc.dictionary(
    fc.constantFrom('event_id', 'event_type', 'key', 'ts', 'schema_version', 'payload', 'extra'),
    field,
  );
  fc.assert(
    fc.property(changes, fc.integer({ min: -3, max: 8 }), (changed, rating) => {
      const event: unknown = { ...review({ rating }), ...changed };
      if (decodeReview(encoded(event)).fate === 'deliver')
        assert.ok(schema.Check(event), JSON.stringify(event));
    }),
  );
});

test('pitfall 21, messages of TiCDC: rows and DDL are changes with an identity, watermarks and empty messages are filtered', async () => {
  const samples = new URL('../../canal-json/test/fixtures/ticdc-samples.ndjson', import.meta.url);
  const lines = (await readFile(samples, 'utf8')).trim().split('\n');
  const decisions = lines.map((line, index) =>
    decodeChange(record({ value: Buffer.from(line), offset: BigInt(index) })),
  );
  for (const [index, decision] of decisions.entries()) {
    const isWatermark = lines[index]?.includes('TIDB_WATERMARK') ?? false;
    assert.equal(decision.fate, isWatermark ? 'filtered' : 'deliver', lines[index]);
    if (decision.fate === 'deliver') assert.notEqual(decision.event.changeId, '');
  }
  assert.equal(decodeChange(record({ value: Buffer.alloc(0) })).fate, 'filtered');
  assert.equal(decodeChange(record({ value: null })).fate, 'filtered');
  assert.throws(() => decodeChange(record({ value: Buffer.from('{"type":"INSERT"}') })));
});

test('the identity of a change is its header, else its key and commit position, else its place in the log', () => {
  const message = {
    id: 0,
    database: 'demo',
    table: 'readings',
    pkNames: ['id'],
    isDdl: false,
    type: 'UPDATE',
    es: 1786358942713,
    ts: 1786358944991,
    sql: '',
    sqlType: { id: 4, value: 4 },
    mysqlType: { id: 'int', value: 'int' },
    old: [{ value: '10' }],
    data: [{ id: '1', value: '11' }],
  };
  const idOf = (value: object, headers: [string, string][] = []) => {
    const decision = decodeChange({
      ...encoded(value),
      offset: 7n,
      headers: headers.map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
    });
    return decision.fate === 'deliver' ? decision.event : assert.fail(decision.fate);
  };
  const traced = idOf(message, [
    ['tidemark-change-id', 'sre-cdc:5:0'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ]);
  assert.equal(traced.changeId, 'sre-cdc:5:0');
  assert.equal(traced.traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.deepEqual(traced.old, { id: '1', value: '10' });
  const withCommitTs = idOf({ ...message, _tidb: { commitTs: 464043256649875 } });
  assert.equal(withCommitTs.changeId, 'demo.readings:1:464043256649875:UPDATE');
  assert.match(idOf(message).changeId, /^events\.main\/0\/7@\d+$/);
});

test('a dead letter comes back from its topic with the record untouched and the circumstances beside it', async () => {
  const letter: DeadLetter = {
    pipeline: 'reviews-to-postgres',
    record: record({
      offset: 42n,
      partition: 3,
      key: Buffer.from('user:1'),
      value: Buffer.from('{"a":"\\u0000"}'),
      headers: [[Buffer.from('traceparent'), Buffer.from('00-aa-bb-01')]],
    }),
    rejection: {
      reason: 'refused_by_sink',
      errorClass: '23514',
      message: 'violates check constraint',
      attempts: 1,
      firstFailedAtMs: Date.UTC(2026, 10, 21, 10),
      lastFailedAtMs: Date.UTC(2026, 10, 21, 11),
    },
  };
  const sent: Parameters<Parameters<typeof kafkaDeadLetters>[0]['send']>[0][number][] = [];
  const sender = {
    send: async (messages: typeof sent) => void sent.push(...messages),
    close: async () => {},
  };
  await kafkaDeadLetters(sender, 'streamsre-consumer')([letter], new AbortController().signal);
  const [message] = sent;
  assert.ok(message);
  assert.equal(message.topic, 'events.dlq');
  assert.deepEqual(message.key, letter.record.key);
  assert.deepEqual(message.value, letter.record.value);
  const headers = (message.headers ?? []).map(
    ([name, value]) => [Buffer.from(name as string), value] as const,
  );
  assert.deepEqual(headers[0]?.map(String), ['traceparent', '00-aa-bb-01']);
  const stored = decodeDeadLetter(
    record({ topic: 'events.dlq', key: message.key ?? null, value: message.value ?? null, headers }),
  );
  assert.equal(stored.fate, 'deliver');
  assert.deepEqual(stored.event, {
    eventId: deadLetterId('reviews-to-postgres', letter.record),
    pipeline: 'reviews-to-postgres',
    topic: 'events.main',
    partition: 3,
    offset: 42n,
    key: 'user:1',
    reason: 'refused_by_sink',
    error: '23514: violates check constraint',
    payload: letter.record.value,
    payloadJson: null,
    attempts: 1,
    failedAt: '2026-11-21T11:00:00.000Z',
    keyBytes: Buffer.from('user:1'),
    headers: [['traceparent', Buffer.from('00-aa-bb-01').toString('base64')]],
    replays: 0,
    originOffset: 42n,
  });
});

test('the id of a dead letter is a UUID that depends on pipeline and place only', () => {
  const place = { topic: 'events.main', partition: 3, offset: 42n };
  assert.match(
    deadLetterId('p', place),
    /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.equal(deadLetterId('p', place), deadLetterId('p', { ...place }));
  assert.notEqual(deadLetterId('p', place), deadLetterId('p', { ...place, offset: 43n }));
  assert.notEqual(deadLetterId('p', place), deadLetterId('q', place));
});
