import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { ensureTopics, LogReader } from '@tidemark/connectors';
import {
  DeadLetterDetail,
  DeadLetterPage,
  DeadLettersDiscarded,
  DeadLettersReplayed,
  type Session,
} from '@tidemark/contracts';
import type { SourceRecord } from '@tidemark/pipeline';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

const idOf = (n: number) => `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`;

describe('dead letters over the api', () => {
  let postgres: TestPostgres;
  let broker: RunningBroker;
  let api: RunningApi;
  let admin: Session;
  let viewer: Session;

  before(async () => {
    [postgres, broker] = await Promise.all([startPostgres({ migrated: true }), startBroker({ port: 0 })]);
    await ensureTopics({ brokers: [broker.address], clientId: 'test' }, ['events.main']);
    await seedAdmin(postgres);
    await postgres.query(
      `INSERT INTO dlq_events (event_id, pipeline, source_topic, source_partition, source_offset, key, key_bytes, reason,
         error, payload_bytes, failed_at, headers)
       SELECT ('00000000-0000-5000-8000-' || lpad(n::text, 12, '0'))::uuid, 'reviews-to-postgres', 'events.main', n % 6, n,
         'user:' || n % 3, convert_to('user:' || n % 3, 'UTF8'), CASE WHEN n % 2 = 0 THEN 'invalid' ELSE 'refused_by_sink' END,
         CASE WHEN n % 2 = 0 THEN 'invalid: no' ELSE '23514: no' END, convert_to('{"n":' || n || '}', 'UTF8'),
         timestamptz '2026-11-21' + (n / 5) * interval '1 microsecond', '[["traceparent", "MDAtYWEtYmItMDE="], ["empty", null]]'
       FROM generate_series(1, 30) AS n`,
    );
    api = await runApi(postgres.url, { KAFKA_BROKERS: broker.address, PRODUCE_TIMEOUT: '500ms' });
    admin = await api.signIn();
    const registration = { email: 'viewer@example.com', password: 'long enough' };
    viewer = (await api.ask('POST', '/api/auth/register', { body: registration })).body as Session;
  });
  after(async () => {
    await api.service.stop();
    await broker.stop();
    await postgres.stop();
  });

  const get = (path: string) => api.ask('GET', `/api/dead-letters${path}`, { token: viewer.token });
  const post = (path: string, body: object, session = admin) =>
    api.ask('POST', `/api/dead-letters${path}`, { token: session.token, body });

  test('are listed to everybody, newest first, in stable pages, by every filter', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await get(`?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`);
      assertShape(DeadLetterPage, page.body);
      seen.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 30 }, (_, index) => idOf(30 - index)),
    );
    for (const [query, expected] of [
      ['reason=invalid', 15],
      ['errorClass=23514', 15],
      ['key=user:1', 10],
      ['pipeline=changes-to-store', 0],
      ['status=discarded', 0],
      ['status=open&reason=invalid&key=user:0', 5],
      ['from=2026-11-21T00:00:00.000001Z&to=2026-11-21T00:00:00.000002Z', 5],
    ] as const) {
      const { body } = await get(`?limit=200&${query}`);
      assertShape(DeadLetterPage, body);
      assert.equal(body.items.length, expected, query);
    }
    assert.equal((await get('?status=burnt')).code, 'INVALID_INPUT');
    assert.equal((await get('?cursor=nonsense')).code, 'CURSOR_INVALID');
    assert.equal((await get('/not-an-id')).code, 'INVALID_INPUT');
    assert.equal((await get(`/${idOf(99)}`)).code, 'DEAD_LETTER_UNKNOWN');
    assert.equal((await api.ask('GET', '/api/dead-letters')).code, 'NOT_SIGNED_IN');
  });

  test('are dealt with by operators only, and by a page only with the token that proves it', async () => {
    const body = { ids: [idOf(1)], why: 'x' };
    assert.equal((await post('/replay', body, viewer)).code, 'FORBIDDEN');
    assert.equal((await post('/discard', body, viewer)).code, 'FORBIDDEN');
    const edit = { payload: '{}', why: 'x' };
    const patched = await api.ask('PATCH', `/api/dead-letters/${idOf(1)}`, {
      token: viewer.token,
      body: edit,
    });
    assert.equal(patched.code, 'FORBIDDEN');
    const headers = { cookie: `tidemark_session=${admin.token}` };
    assert.equal(
      (await api.ask('POST', '/api/dead-letters/replay', { body, headers })).code,
      'CSRF_TOKEN_INVALID',
    );
    assert.equal((await get(`?status=open&limit=200`)).text.match(/"id"/g)?.length, 30);
  });

  test('are corrected, tried and sent back with key and headers untouched, each step in the log', async () => {
    const id = idOf(4);
    const payload = JSON.stringify({ corrected: true });
    const edited = await api.ask('PATCH', `/api/dead-letters/${id}`, {
      token: admin.token,
      body: { payload, why: 'a field was missing' },
    });
    assertShape(DeadLetterDetail, edited.body);
    assert.deepEqual([edited.body.payload, edited.body.originalPayload], [payload, '{"n":4}']);
    assert.match(edited.body.wouldBeRefused ?? '', /^event_id /);
    const tried = await post('/replay', { ids: [id], dryRun: true, why: 'x' });
    assertShape(DeadLettersReplayed, tried.body);
    assert.deepEqual([tried.body.dryRun, tried.body.sent], [true, [id]]);
    const replayed = await post('/replay', { ids: [id], why: 'the field is there now' });
    assertShape(DeadLettersReplayed, replayed.body);
    assert.deepEqual(replayed.body.sent, [id]);
    assert.equal((await post('/replay', { ids: [id], why: 'again' })).code, 'DEAD_LETTER_CLOSED');

    const log = new LogReader({ brokers: [broker.address], clientId: 'test' });
    const records: SourceRecord[] = [];
    for await (const read of log.read('events.main', 4, 0n, 1n)) records.push(...read);
    const [record] = records;
    await log.close();
    assert.equal(record?.key?.toString(), 'user:1');
    assert.equal(record?.value?.toString(), payload);
    assert.deepEqual(
      record?.headers.map(([name, value]) => [name.toString(), value?.toString() ?? null]),
      [
        ['traceparent', '00-aa-bb-01'],
        ['empty', null],
        ['tidemark-replays', '1'],
        ['tidemark-replay-of', id],
        ['tidemark-replay-for', 'reviews-to-postgres'],
        ['tidemark-replay-origin', 'reviews-to-postgres/4/4/1/1'],
      ],
    );
    const shown = await get(`/${id}`);
    assertShape(DeadLetterDetail, shown.body);
    assert.equal(shown.body.status, 'replayed');
    assert.deepEqual(
      shown.body.actions.map(({ action, who, why }) => [action, who, why]),
      [
        ['edit', admin.user.email, 'a field was missing'],
        ['replay', admin.user.email, 'the field is there now'],
      ],
    );
    const lines = api.log.filter(line => String(line['action']).startsWith('dead_letter_'));
    assert.deepEqual(
      lines.map(line => [line['action'], line['subject'], line['userId']]),
      [
        ['dead_letter_edit', `dead-letter:${id}`, admin.user.id],
        ['dead_letter_replay', 'dead-letters:1', admin.user.id],
      ],
    );
  });

  test('are replayed and discarded by filter, but never all of them by mistake', async () => {
    assert.equal((await post('/discard', { why: 'x' })).code, 'SELECTION_UNCLEAR');
    assert.equal((await post('/discard', { all: true, key: 'user:1', why: 'x' })).code, 'SELECTION_UNCLEAR');
    assert.equal((await post('/discard', { all: true })).code, 'INVALID_INPUT');
    const discarded = await post('/discard', { reason: 'invalid', key: 'user:0', why: 'test data' });
    assertShape(DeadLettersDiscarded, discarded.body);
    assert.equal(discarded.body.discarded.length, 5);
    const replayed = await post('/replay', {
      errorClass: '23514',
      eventsPerSec: 1000,
      why: 'the rule was lifted',
    });
    assertShape(DeadLettersReplayed, replayed.body);
    assert.equal(replayed.body.sent.length, 15);
    const rest = await post('/discard', { all: true, why: 'done' });
    assertShape(DeadLettersDiscarded, rest.body);
    assert.equal(rest.body.discarded.length, 9);
    const [row] = await postgres.query('SELECT count(*)::int AS n FROM dlq_actions');
    assert.equal(row?.['n'], 2 + 5 + 15 + 9);
  });

  test('stay open while the broker is down, and the answer says so', async () => {
    await postgres.query(`UPDATE dlq_events SET status = 'open' WHERE event_id = $1`, [idOf(30)]);
    await broker.stop();
    assert.equal((await post('/replay', { ids: [idOf(30)], why: 'x' })).code, 'BROKER_UNAVAILABLE');
    const { body } = await get(`/${idOf(30)}`);
    assert.equal((body as { status: string }).status, 'open');
  });
});
