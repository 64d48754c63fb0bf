import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { binaryValue, type CanalMessage, decode, type Row } from '@tidemark/canal-json';
import { eventually } from '@tidemark/testkit';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

/** Columns of the random tables: a type, how to read it as the message would say it, and values. */
const kinds: readonly {
  readonly type: string;
  readonly read: (column: string) => string;
  readonly values: fc.Arbitrary<string>;
}[] = [
  { type: 'text', read: column => column, values: literal(fc.string({ unit: 'binary' }).map(storable)) },
  { type: 'bigint', read: text, values: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map(String) },
  { type: 'numeric', read: text, values: fc.tuple(fc.integer(), fc.nat(99)).map(([a, b]) => `${a}.${b}`) },
  { type: 'boolean', read: column => `${column}::int::text`, values: fc.constantFrom('true', 'false') },
  {
    type: 'bytea',
    read: column => `encode(${column}, 'hex')`,
    values: fc.uint8Array().map(bytes => `'\\x${Buffer.from(bytes).toString('hex')}'`),
  },
  {
    type: 'timestamptz',
    read: column => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`,
    values: fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map(at => `'${at.toISOString()}'`),
  },
  { type: 'int[]', read: text, values: fc.array(fc.integer()).map(list => `'{${list.join()}}'`) },
  {
    type: 'jsonb',
    read: text,
    values: literal(fc.json().map(json => storable(json).replace(/\\u0000/g, ''))),
  },
  // Too long for its page, so that it is stored out of line and not sent again when it does not change.
  { type: 'varchar', read: column => column, values: fc.nat(25).map(n => `repeat('${n}-', 2000)`) },
];
const columns = kinds.map((_, index) => `c${index}`);

function text(column: string): string {
  return `${column}::text`;
}

/** PostgreSQL's texts hold every character but the one with number zero. */
function storable(value: string): string {
  return value.toWellFormed().replaceAll('\u0000', '');
}

function literal(values: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return values.map(value => `'${value.replaceAll("'", "''")}'`);
}

const table = fc.constantFrom('whole', 'keyed');
const id = fc.nat(12);
const cell = fc.nat(kinds.length - 1).chain(index => {
  const value = kinds[index]?.values ?? fc.constant('NULL');
  return fc.tuple(fc.constant(`c${index}`), fc.oneof({ weight: 4, arbitrary: value }, fc.constant('NULL')));
});
const cells = fc.uniqueArray(cell, { minLength: 1, maxLength: 5, selector: ([name]) => name });

const statement = fc.oneof(
  fc.tuple(table, id, cells).map(([name, key, list]) => {
    const names = list.map(([column]) => column).join();
    const values = list.map(([, value]) => value).join();
    return `INSERT INTO ${name} (id, ${names}) VALUES (${key}, ${values}) ON CONFLICT DO NOTHING`;
  }),
  fc
    .tuple(table, id, cells)
    .map(
      ([name, key, list]) =>
        `UPDATE ${name} SET ${list.map(pair => pair.join(' = ')).join()} WHERE id >= ${key}`,
    ),
  fc
    .tuple(table, id, id)
    .map(
      ([name, from, to]) =>
        `UPDATE ${name} SET id = ${to} WHERE id = ${from} AND NOT EXISTS (SELECT FROM ${name} WHERE id = ${to})`,
    ),
  fc.tuple(table, id).map(([name, key]) => `DELETE FROM ${name} WHERE id = ${key}`),
);
const rare = fc.oneof(
  table.map(name => `TRUNCATE ${name}`),
  table.map(name => `ALTER TABLE ${name} ADD COLUMN IF NOT EXISTS extra int DEFAULT 5`),
  table.map(name => `ALTER TABLE ${name} DROP COLUMN IF EXISTS extra`),
);
const cut = 'SELECT pg_terminate_backend(pid) FROM pg_stat_replication';
/** One transaction; savepoints and their ends surround parts of it. */
const transaction = fc
  .tuple(
    fc.array(fc.oneof({ weight: 12, arbitrary: statement }, { weight: 1, arbitrary: rare }), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.array(statement, { maxLength: 2 }),
    fc.boolean(),
    fc.oneof({ weight: 5, arbitrary: fc.constant('COMMIT') }, fc.constant('ROLLBACK')),
  )
  .map(([main, inner, keepInner, end]) => [
    ...main,
    'SAVEPOINT s',
    ...inner,
    keepInner ? 'RELEASE s' : 'ROLLBACK TO s',
    end,
  ]);
const step = fc.oneof({ weight: 12, arbitrary: transaction }, { weight: 1, arbitrary: fc.constant([cut]) });

suite(`a table rebuilt from the topic equals its source (TEST_SEED=${seed})`, () => {
  let bench: CaptureBench;
  let client: Client;
  before(async () => {
    bench = await openCaptureBench();
    const definition = kinds.map(({ type }, index) => `c${index} ${type}`).join();
    await bench.postgres.query(`
      CREATE TABLE whole (id int PRIMARY KEY, ${definition}); ALTER TABLE whole REPLICA IDENTITY FULL;
      CREATE TABLE keyed (id int PRIMARY KEY, ${definition});
      CREATE TABLE done (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)`);
    await bench.create('rebuilt', ['sre_app.whole', 'sre_app.keyed', 'sre_app.done']);
    client = new Client({ connectionString: bench.postgres.url });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await bench.close();
  });

  async function run(statements: readonly string[]): Promise<void> {
    if (statements[0] === cut) {
      await client.query(cut);
      return;
    }
    await client.query('BEGIN');
    for (const sql of statements) await client.query(sql);
  }

  async function caughtUp(): Promise<void> {
    const { rows } = await client.query<{ id: number }>('INSERT INTO done DEFAULT VALUES RETURNING id');
    const last = String(rows[0]?.id);
    await eventually('caught up', () =>
      bench.topic.messages.findLast(({ table: name, value }) => {
        const message = decode(value);
        return name === 'done' && message.kind === 'row' && message.data['id'] === last;
      }),
    );
  }

  test('for every row and type, through savepoints, aborts, schema changes and cut connections', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
        for (const statements of steps) await run(statements);
        await caughtUp();
        for (const name of ['whole', 'keyed']) {
          assert.deepEqual(rebuilt(bench, name), await source(client, name), name);
        }
      }),
      { seed, numRuns: 15, endOnFailure: true },
    );
  });
});

/** The rows as the database has them, in the words of the messages. */
async function source(client: Client, name: string): Promise<ReadonlyMap<string, Row>> {
  const list = kinds.map(({ read }, index) => `${read(`c${index}`)} AS c${index}`).join();
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT id::text AS id, ${list} FROM ${name}`,
  );
  return new Map(rows.toSorted(byId).map(row => [row['id'] ?? '', row]));
}

const byId = (a: Row, b: Row) => Number(a['id']) - Number(b['id']);

/** The rows that a consumer has after everything in the topic, each change taken once. */
function rebuilt(bench: CaptureBench, name: string): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  const seen = new Set<string>();
  for (const { table: of, value, changeId } of bench.topic.messages) {
    if (of !== name || seen.has(changeId)) continue;
    seen.add(changeId);
    apply(rows, decode(value));
  }
  const shown = [...rows.values()].map(row =>
    Object.fromEntries(['id', ...columns].map(column => [column, readable(column, row[column] ?? null)])),
  );
  return new Map(shown.toSorted(byId).map(row => [row['id'] ?? '', row]));
}

function apply(rows: Map<string, Row>, message: CanalMessage): void {
  if (message.kind === 'ddl') rows.clear();
  if (message.kind !== 'row') return;
  const key = message.data['id'] ?? '';
  if (message.type === 'DELETE') assert.ok(rows.delete(key), `row ${key} is deleted but not there`);
  else rows.set(key, { ...(message.type === 'UPDATE' ? rows.get(key) : {}), ...message.data });
}

function readable(column: string, value: string | null): string | null {
  const isBinary = kinds[columns.indexOf(column)]?.type === 'bytea';
  return value !== null && isBinary ? binaryValue(value).toString('hex') : value;
}
