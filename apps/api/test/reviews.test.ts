import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Review, ReviewAccepted, ReviewCreated, ReviewPage, type Session } from '@tidemark/contracts';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { ApiError } from '../src/http/api-error.ts';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

describe('reviews', () => {
  let postgres: TestPostgres;
  let api: RunningApi;
  let admin: Session;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
    api = await runApi(postgres.url);
    admin = await api.signIn();
  });
  after(async () => {
    await api.service.stop();
    await postgres.stop();
  });
  beforeEach(() => {
    api.broker.published.length = 0;
    api.broker.failure = undefined;
  });

  const write = (body: object, headers = {}) =>
    api.ask('POST', '/api/reviews', { token: admin.token, body, headers });

  test('become an event on events.main that carries key and trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    const answer = await write({ rating: 4, text: 'Größe 😀' }, { traceparent });
    assert.equal(answer.status, 202);
    assertShape(ReviewAccepted, answer.body);
    const [event] = api.broker.published;
    assert.equal(event?.topic, 'events.main');
    assert.equal(event?.key, `user:${admin.user.id}`);
    assert.match(
      event?.headers['traceparent'] ?? '',
      /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/,
    );
    const value: unknown = JSON.parse(event?.value ?? '');
    assertShape(ReviewCreated, value);
    assert.equal(value.event_id, answer.body.eventId);
    assert.match(value.event_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(value.payload, { review_id: answer.body.reviewId, rating: 4, text: 'Größe 😀' });
    assert.equal(value.key, event?.key);
  });

  test('take the partition key that they are given', async () => {
    const answer = await write({ rating: 1, text: '', userKey: 'user:42' });
    assertShape(ReviewAccepted, answer.body);
    assert.equal(answer.body.key, 'user:42');
    assert.equal(api.broker.published[0]?.key, 'user:42');
  });

  test('are answered with 503 while the broker does not acknowledge', async () => {
    api.broker.failure = new ApiError(503, 'BROKER_UNAVAILABLE', 'no', { retryAfterSec: 2 });
    const answer = await write({ rating: 4, text: 'x' });
    assert.deepEqual([answer.status, answer.code], [503, 'BROKER_UNAVAILABLE']);
    assert.equal(answer.headers.get('retry-after'), '2');
  });

  test('are refused with what cannot be stored, or not by viewers', async () => {
    for (const body of [
      { rating: 6, text: '' },
      { rating: 1.5, text: '' },
      { rating: 1 },
      { rating: '4', text: '' },
    ]) {
      assert.equal((await write(body)).code, 'INVALID_INPUT');
    }
    assert.equal((await write({ rating: 1, text: 'a\0b' })).code, 'INVALID_INPUT');
    assert.equal((await write({ rating: 1, text: 'x'.repeat(10_001) })).code, 'INVALID_INPUT');
    const register = { email: 'viewer@example.com', password: 'long enough' };
    const { body } = await api.ask('POST', '/api/auth/register', { body: register });
    const { token } = body as Session;
    const refused = await api.ask('POST', '/api/reviews', { token, body: { rating: 1, text: '' } });
    assert.equal(refused.code, 'FORBIDDEN');
    assert.equal(api.broker.published.length, 0);
  });

  test('are listed newest first, also when many have the same time', async () => {
    await postgres.query(
      `INSERT INTO reviews (review_id, user_key, rating, text, created_at)
       SELECT 'r-' || lpad(n::text, 3, '0'), 'user:1', 3, 'text', timestamptz '2026-11-21' + (n / 7) * interval '1 microsecond'
       FROM generate_series(1, 60) AS n`,
    );
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path: string = `/api/reviews?limit=11${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page = await api.ask('GET', path, { token: admin.token });
      assertShape(ReviewPage, page.body);
      seen.push(...page.body.items.map(({ reviewId }) => reviewId));
      cursor = page.body.nextCursor;
    }
    const expected = Array.from({ length: 60 }, (_, index) => `r-${String(60 - index).padStart(3, '0')}`);
    assert.deepEqual(seen, expected);
    const one = await api.ask('GET', '/api/reviews/r-007', { token: admin.token });
    assertShape(Review, one.body);
    assert.equal((await api.ask('GET', '/api/reviews/r-none', { token: admin.token })).code, 'NOT_FOUND');
  });
});
