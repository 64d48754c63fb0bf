import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Change, type Session } from '@tidemark/contracts';
import { seededRandom } from '@tidemark/kernel';
import { eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { assertShape } from './contract-checks.ts';
import { EventClient } from './event-client.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';
import { type StoredChange, storeChanges } from './stored-changes.ts';

describe('GET /api/changes/stream', () => {
  let postgres: TestPostgres;
  let api: RunningApi;
  let admin: Session;
  let clients: EventClient[];

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    clients = [];
    await postgres.query('TRUNCATE change_events');
    api = await runApi(postgres.url, { FEED_HEARTBEAT: '200ms' });
    admin = await api.signIn();
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    await api.service.stop();
  });

  const change = (n: number, table = 'users', text = ''): StoredChange => ({
    database: 'sre_app',
    table,
    type: 'INSERT',
    key: String(n),
    committedAt: new Date(),
    old: null,
    data: { id: String(n), text },
    sql: null,
  });
  const store = (...numbers: number[]) =>
    storeChanges(
      postgres,
      numbers.map(n => change(n)),
    );
  async function open(query = '', lastEventId?: string): Promise<EventClient> {
    const headers = {
      authorization: `Bearer ${admin.token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    };
    const client = await EventClient.open(`${api.service.url}/api/changes/stream${query}`, headers);
    clients.push(client);
    return client;
  }
  const listening = () =>
    eventually('the feed listens', async () => {
      const rows = await postgres.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'tidemark-api-feed' AND query LIKE 'LISTEN%'`,
      );
      return rows.length === 1;
    });

  test('sends the changes that come, in order, in the shape of the search', async () => {
    await store(1, 2);
    const client = await open();
    await store(3);
    await store(4, 5);
    await client.changes(3);
    assert.deepEqual(client.keys, ['3', '4', '5']);
    const [event] = client.events;
    const body: unknown = JSON.parse(event?.data ?? '');
    assertShape(Change, body);
    assert.equal(event?.id, body.id);
    const found = await api.ask('GET', `/api/changes/${body.id}`, { token: admin.token });
    assert.deepEqual(found.body, body);
  });

  test('filters, and moves the last event id past what it left out', async () => {
    const client = await open('?table=reviews&q=WANTED');
    await storeChanges(postgres, [
      change(1, 'reviews', 'other'),
      change(2, 'reviews', 'this is wanted'),
      change(3, 'users', 'wanted'),
    ]);
    await client.changes(1);
    assert.deepEqual(client.keys, ['2']);
    const newest = BigInt(client.events[0]?.id ?? 0) + 1n;
    await eventually('a heartbeat told the id', () => client.lastEventId === String(newest));
  });

  test('ends when its session ends', async () => {
    const { token } = await api.signIn();
    const client = await EventClient.open(`${api.service.url}/api/changes/stream`, {
      authorization: `Bearer ${token}`,
    });
    clients.push(client);
    await api.ask('POST', '/api/auth/logout', { token });
    await eventually('the stream ended', () => client.ended);
    assert.equal(client.events[0]?.data, '{"reason":"signed_out"}');
  });

  test('resumes after the last event id, from memory and from the store', async () => {
    const first = await open();
    await store(1, 2, 3);
    await first.changes(3);
    const resumed = await open('', first.events[0]?.id);
    await resumed.changes(2);
    assert.deepEqual(resumed.keys, ['2', '3'], 'from memory');
    for (const client of clients) client.close();
    await eventually('nobody follows', async () => (await metric('sse_clients')) === 0);
    await store(4, 5);
    const later = await open('', first.events[0]?.id);
    await later.changes(4);
    assert.deepEqual(later.keys, ['2', '3', '4', '5'], 'from the store');
    const byQuery = await open(`?lastEventId=${first.events[1]?.id ?? ''}`);
    await byQuery.changes(3);
    assert.deepEqual(byQuery.keys, ['3', '4', '5']);
    const whole = await open('', '0');
    await whole.changes(5);
    assert.deepEqual(whole.keys, ['1', '2', '3', '4', '5']);
  });

  async function metric(name: string): Promise<number> {
    const { text } = await api.ask('GET', '/metrics');
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  test('misses nothing and repeats nothing over reconnects while writers race', async t => {
    const seed = Date.now() % 1_000_000;
    t.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed);
    const total = 600;
    const writing = (async () => {
      for (let n = 0; n < total; ) {
        const size = 1 + Math.floor(random() * 12);
        const batch = Array.from({ length: Math.min(size, total - n) }, (_, index) => n + index);
        await store(...batch);
        n += batch.length;
      }
    })();
    const seen: string[] = [];
    let last = '0';
    while (seen.length < total) {
      const client = await open('', last);
      const wanted = Math.min(total - seen.length, 1 + Math.floor(random() * 150));
      await client.changes(wanted);
      client.close();
      // What arrived is what a browser keeps; the id of the last one is where it goes on.
      const events = client.events.filter(({ type }) => type === 'change').slice(0, wanted);
      seen.push(...client.keys.slice(0, wanted));
      last = events.at(-1)?.id ?? last;
    }
    await writing;
    assert.deepEqual(
      seen,
      Array.from({ length: total }, (_, n) => String(n)),
    );
  });

  test('serves many clients over one connection to the database, which ends with the last of them', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => open()));
    await listening();
    assert.equal(await metric('sse_clients'), 20);
    await store(1);
    await Promise.all(many.map(client => client.changes(1)));
    for (const client of many) client.close();
    await eventually('nobody listens', async () => {
      const rows = await postgres.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'tidemark-api-feed'`,
      );
      return rows.length === 0 && (await metric('sse_clients')) === 0;
    });
    const again = await open();
    await store(2);
    await again.changes(1);
    assert.deepEqual(again.keys, ['2']);
  });

  test('finds changes by looking when the announcement is lost', async () => {
    const client = await open();
    await listening();
    await postgres.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidemark-api-feed'`,
    );
    await store(1);
    await client.changes(1);
    // And an insert by somebody who announces nothing.
    await postgres.query(
      `INSERT INTO change_events (change_id, database, table_name, type, key, commit_ts, committed_at, captured_at,
         topic, partition, kafka_offset) VALUES ('silent', 'd', 't', 'INSERT', '2', 1, now(), now(), 'x', 0, 0)`,
    );
    await client.changes(2);
    assert.deepEqual(client.keys, ['1', '2']);
    assert.ok(api.log.some(line => String(line['message']).includes('the live feed lost its connection')));
  });

  test('goes on by itself after the database was away', async () => {
    const client = await open();
    await listening();
    await postgres.crashAndRestart();
    await store(1);
    await client.changes(1);
    assert.equal(client.ended, false);
  });

  test('says so when the store was made anew, and starts over', async () => {
    const client = await open('', '999999999');
    await eventually('a reset came', () => client.events.some(({ type }) => type === 'reset'));
    await store(1);
    await client.changes(1);
    assert.deepEqual(client.keys, ['1']);
  });

  test('tells clients to reconnect when the api stops', async () => {
    const client = await open();
    await api.service.stop();
    await eventually('the stream ended', () => client.ended);
    assert.deepEqual(
      client.events.map(({ type, data }) => [type, data]),
      [['reconnect', '{"reason":"stopping"}']],
    );
  });

  test('refuses strangers and ids that are none', async () => {
    const refused = (headers: Record<string, string>) =>
      EventClient.open(`${api.service.url}/api/changes/stream`, headers);
    await assert.rejects(refused({}), /401/);
    const authorization = `Bearer ${admin.token}`;
    await assert.rejects(refused({ authorization, 'last-event-id': 'x; y' }), /400/);
  });
});
