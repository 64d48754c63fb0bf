import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Change, ChangePage, type Row, type Session } from '@tidemark/contracts';
import { systemClock } from '@tidemark/kernel';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import * as fc from 'fast-check';
import { type Filter, lowerAscii, matches, toFilter } from '../src/changes/change-filter.ts';
import { type ChangeStore, createChangeStore } from '../src/changes/change-store.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { type StoredChange, storeChanges } from './stored-changes.ts';
import { assertShape } from './contract-checks.ts';
import { type RunningApi, runApi, seedAdmin } from './running-api.ts';

/** Few enough that filters hit, and odd enough to find differences between the two languages of the filter. */
const words = [
  '',
  'a',
  'A',
  'b%',
  '_',
  '"',
  '\\',
  'ä',
  'Ä',
  'İ',
  '😀',
  'id',
  'null',
  'New 1',
  '{"a": "b"}',
  'ß\n',
  '\u007f',
];
const word = fc.constantFrom(...words);
const row = fc.oneof<fc.MaybeWeightedArbitrary<Row | null>[]>(
  fc.constant(null),
  fc.dictionary(fc.constantFrom('id', 'name', 'text'), fc.oneof(word, fc.constant(null))),
);
const minute = (n: number) => new Date(Date.UTC(2026, 10, 21, 4, n));

const storedChange: fc.Arbitrary<StoredChange> = fc.record({
  database: fc.constantFrom('sre_app', 'other'),
  table: fc.constantFrom('users', 'reviews'),
  type: fc.constantFrom('INSERT', 'UPDATE', 'DELETE'),
  key: fc.oneof(word, fc.constant('k'.repeat(5000))),
  committedAt: fc.integer({ min: 0, max: 5 }).map(minute),
  old: row,
  data: row,
  sql: fc.oneof(fc.constant(null), word),
});
const filter: fc.Arbitrary<Filter> = fc.record(
  {
    database: fc.constantFrom('sre_app', 'other'),
    table: fc.constantFrom('users', 'none'),
    types: fc.uniqueArray(fc.constantFrom('INSERT', 'UPDATE', 'TRUNCATE'), { minLength: 1 }),
    key: fc.oneof(word, fc.constant('k'.repeat(5000)), fc.constant(`${'k'.repeat(4999)}x`)),
    from: fc.integer({ min: 0, max: 5 }).map(minute),
    to: fc.integer({ min: 0, max: 5 }).map(minute),
    text: word.filter(text => text !== '').map(lowerAscii),
  },
  { requiredKeys: [] },
);

describe('the change store', () => {
  let postgres: TestPostgres;
  let database: Database;
  let store: ChangeStore;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    database = openDatabase({ url: postgres.url, poolMax: 2, onConnectionLost: () => {} });
    store = createChangeStore(database.queries, systemClock);
  });
  after(async () => {
    await database.close();
    await postgres.stop();
  });

  async function collect(filter: Filter, limit: number): Promise<Change[]> {
    const found: Change[] = [];
    let before: bigint | undefined;
    for (;;) {
      const { changes, reached, more } = await store.newest(filter, before, limit);
      found.push(...changes);
      if (!more) return found;
      before = reached;
    }
  }

  test('finds exactly what the filter of the live feed lets through, in pages, both ways', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(storedChange, { minLength: 1, maxLength: 25 }),
        fc.array(filter, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        async (changes, filters, limit) => {
          await postgres.query('TRUNCATE change_events');
          await storeChanges(postgres, changes);
          const all = await collect({}, 100);
          assert.equal(all.length, changes.length);
          for (const filter of filters) {
            const expected = all.filter(change => matches(filter, change)).map(({ id }) => id);
            const found = (await collect(filter, limit)).map(({ id }) => id);
            assert.deepEqual(found, expected, JSON.stringify(filter));
            const upTo = await store.newestId();
            const { changes: upwards } = await store.following(filter, 0n, upTo, 1000);
            assert.deepEqual(upwards.map(({ id }) => id).toReversed(), expected);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('takes the values of a change as exactly as they were stored', async () => {
    await postgres.query('TRUNCATE change_events');
    await storeChanges(postgres, [
      {
        database: 'sre_app',
        table: 'users',
        type: 'UPDATE',
        key: '1',
        committedAt: minute(0),
        old: { id: '9223372036854775807', note: null },
        data: { id: '9223372036854775807', note: 'null' },
        sql: null,
        commitTs: '18446744073709551615',
      },
    ]);
    const [change] = await collect({}, 1);
    assert.equal(change?.commitTs, '18446744073709551615');
    assert.deepEqual(change?.old, { id: '9223372036854775807', note: null });
    assert.deepEqual(await store.find(BigInt(change?.id ?? 0)), change);
  });

  test('cuts a page by bytes before it fills memory', async () => {
    await postgres.query('TRUNCATE change_events');
    // Random text, so that the database does not compress it away.
    await postgres.query(
      `INSERT INTO change_events (change_id, database, table_name, type, key, commit_ts, committed_at, captured_at,
         data, topic, partition, kafka_offset)
       SELECT 'big:' || n, 'sre_app', 'big', 'INSERT', n::text, n, now(), now(),
         jsonb_build_object('blob', (SELECT string_agg(md5(random()::text || n || m), '') FROM generate_series(1, 40000) m)),
         'tidb_cdc', 0, n FROM generate_series(1, 12) n`,
    );
    const { changes, more } = await store.newest({}, undefined, 100);
    assert.ok(changes.length >= 1 && changes.length < 12, String(changes.length));
    assert.equal(more, true);
    assert.equal((await collect({}, 100)).length, 12);
  });

  test('reads the query parameters of a request', () => {
    assert.deepEqual(toFilter({ table: 'sre_app.users', type: 'insert, UPDATE', q: 'ÄBC' }), {
      database: 'sre_app',
      table: 'users',
      types: ['INSERT', 'UPDATE'],
      text: 'Äbc',
    });
    assert.deepEqual(toFilter({ table: '', q: '', key: '', type: ',' }), {});
  });
});

describe('GET /api/changes', () => {
  let postgres: TestPostgres;
  let api: RunningApi;
  let admin: Session;

  before(async () => {
    postgres = await startPostgres({ migrated: true });
    await seedAdmin(postgres);
    api = await runApi(postgres.url);
    admin = await api.signIn();
    await storeChanges(
      postgres,
      Array.from({ length: 25 }, (_, n) => simpleChange(n)),
    );
  });
  after(async () => {
    await api.service.stop();
    await postgres.stop();
  });

  const simpleChange = (n: number): StoredChange => ({
    database: 'sre_app',
    table: n % 2 === 0 ? 'users' : 'reviews',
    type: 'INSERT',
    key: String(n),
    committedAt: minute(n),
    old: null,
    data: { id: String(n), name: `Name ${n}` },
    sql: null,
  });
  const get = (path: string) => api.ask('GET', path, { token: admin.token });

  test('pages through everything while new changes arrive', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path: string = `/api/changes?limit=4&table=users${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page = await get(path);
      assertShape(ChangePage, page.body);
      seen.push(...page.body.items.map(({ key }) => key));
      cursor = page.body.nextCursor;
      await storeChanges(postgres, [simpleChange(1000 + seen.length * 2)]);
    }
    assert.deepEqual(seen, ['24', '22', '20', '18', '16', '14', '12', '10', '8', '6', '4', '2', '0']);
    await postgres.query(`DELETE FROM change_events WHERE key::int >= 1000`);
  });

  test('has no cursor when the last page is full', async () => {
    const page = await get('/api/changes?limit=13&table=users');
    assertShape(ChangePage, page.body);
    assert.equal(page.body.items.length, 13);
    assert.equal(page.body.nextCursor, null);
  });

  test('filters by time, key and text together', async () => {
    const query = new URLSearchParams({
      from: minute(10).toISOString(),
      to: minute(12).toISOString(),
      q: 'nAME 1',
      type: 'insert',
    });
    const page = await get(`/api/changes?${query.toString()}`);
    assertShape(ChangePage, page.body);
    assert.deepEqual(
      page.body.items.map(({ key }) => key),
      ['12', '11', '10'],
    );
    const one = await get(`/api/changes/${page.body.items[0]?.id ?? ''}`);
    assertShape(Change, one.body);
    assert.deepEqual(one.body, page.body.items[0]);
  });

  test('refuses what it cannot read', async () => {
    assert.equal((await get('/api/changes?cursor=nonsense')).code, 'CURSOR_INVALID');
    const foreign = Buffer.from('["1; DROP TABLE users"]').toString('base64url');
    assert.equal((await get(`/api/changes?cursor=${foreign}`)).code, 'CURSOR_INVALID');
    assert.equal((await get('/api/changes?from=yesterday')).code, 'INVALID_INPUT');
    assert.equal((await get('/api/changes?limit=0')).code, 'INVALID_INPUT');
    assert.equal((await get('/api/changes?q=%00')).code, 'INVALID_INPUT');
    assert.equal((await get('/api/changes/9223372036854775808')).code, 'NOT_FOUND');
    assert.equal((await get('/api/changes/0')).code, 'INVALID_INPUT');
  });
});
