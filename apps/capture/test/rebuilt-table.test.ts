import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { binaryValue, type CanalMessage, decode, type Row } from '@tidemark/canal-json';
import { eventually } from '@tidemark/testkit';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';
import type { MemoryTopic } from './support/memory-topic.ts';
import {
  cut,
  type RandomTable,
  randomTables,
  randomTransaction,
  typeDefinitions,
} from './support/random-tables.ts';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

/** Servers that keep transactions until they commit, and one that streams every change of every transaction at once. */
const servers: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['kept until their commit', {}],
  ['streamed change by change', { debug_logical_replication_streaming: 'immediate' }],
];

for (const [how, settings] of servers) {
  suite(`a table rebuilt from the topic equals its source, transactions ${how} (TEST_SEED=${seed})`, () => {
    const [tables = []] = fc.sample(randomTables, { seed, numRuns: 1 });
    let bench: CaptureBench;
    let client: Client;
    let consumer: Consumer;
    before(async () => {
      bench = await openCaptureBench({}, settings);
      consumer = new Consumer(bench.topic);
      await bench.postgres.query(typeDefinitions);
      for (const { definition } of tables) await bench.postgres.query(definition);
      await bench.postgres.query('CREATE TABLE done (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)');
      await bench.create('rebuilt', ['sre_app.r*', '!sre_app.reviews', 'sre_app.done']);
      // The text as the server writes it.
      const types = { getTypeParser: () => (value: unknown) => value };
      client = new Client({ connectionString: bench.postgres.url, types });
      await client.connect();
    });
    after(async () => {
      await client.end();
      await bench.close();
    });

    async function run(statements: readonly string[]): Promise<void> {
      if (statements[0] !== cut) await client.query('BEGIN');
      for (const sql of statements) await client.query(sql);
    }

    async function caughtUp(): Promise<void> {
      const { rows } = await client.query<{ id: string }>('INSERT INTO done DEFAULT VALUES RETURNING id');
      const last = rows[0]?.id;
      await eventually('caught up', () =>
        bench.topic.messages.findLast(({ table: name, value }) => {
          const message = name === 'done' ? decode(value) : undefined;
          return message?.kind === 'row' && message.data['id'] === last;
        }),
      );
    }

    test('for every row and type, through savepoints, aborts, schema changes and cut connections', {
      timeout: 120_000,
    }, async () => {
      const step = fc.oneof(
        { weight: 12, arbitrary: randomTransaction(tables) },
        { weight: 1, arbitrary: fc.constant([cut]) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
          for (const statements of steps) await run(statements);
          await caughtUp();
          consumer.catchUp();
          for (const table of tables) {
            assert.deepEqual(shown(consumer, table), await source(client, table), table.definition);
          }
        }),
        { seed, numRuns: 15, endOnFailure: true },
      );
      const seen = bench.topic.messages.map(({ value }) => decode(value));
      const types = seen.flatMap(message =>
        message.kind === 'row' ? Object.values(message.mysqlTypes) : [],
      );
      assert.ok(new Set(types).size > 10, `only ${[...new Set(types)].join()} were seen`);
    });
  });
}

const byKey = ([a]: readonly [string, Row], [b]: readonly [string, Row]) => (a < b ? -1 : 1);

/** The rows as the database has them, in the words of the messages. */
async function source(client: Client, { name, kinds, key }: RandomTable): Promise<ReadonlyMap<string, Row>> {
  const list = kinds.map(({ read }, index) => `${read(`c${index}`)} AS c${index}`).join();
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT id, part, doubled, ${list} FROM ${name}`,
  );
  return new Map(rows.map(row => [key.map(column => row[column]).join(), row] as const).toSorted(byKey));
}

/** A consumer that builds tables from the topic, taking each change once. */
class Consumer {
  /** Types of the columns that it saw. */
  readonly types = new Set<string>();
  readonly #topic: MemoryTopic;
  readonly #seen = new Set<string>();
  readonly #tables = new Map<string, Map<string, Row>>();
  #next = 0;

  constructor(topic: MemoryTopic) {
    this.#topic = topic;
  }

  table(name: string): Map<string, Row> {
    const rows = this.#tables.get(name) ?? new Map<string, Row>();
    this.#tables.set(name, rows);
    return rows;
  }

  catchUp(): void {
    const { messages } = this.#topic;
    for (; this.#next < messages.length; this.#next += 1) {
      const { changeId = '', table = '', value } = messages[this.#next] ?? {};
      if (value === undefined || this.#seen.has(changeId)) continue;
      this.#seen.add(changeId);
      this.#apply(this.table(table), decode(value));
    }
  }

  #apply(rows: Map<string, Row>, message: CanalMessage): void {
    if (message.kind === 'ddl' && message.type === 'TRUNCATE') rows.clear();
    if (message.kind !== 'row') return;
    for (const type of Object.values(message.mysqlTypes)) this.types.add(type);
    const key = message.pkNames.map(name => message.data[name]).join();
    if (message.type === 'DELETE') assert.ok(rows.delete(key), `row ${key} is deleted but not there`);
    else rows.set(key, { ...(message.type === 'UPDATE' ? rows.get(key) : {}), ...message.data });
  }
}

/** A table of the consumer, in the columns of the source. */
function shown(consumer: Consumer, { name, kinds }: RandomTable): ReadonlyMap<string, Row> {
  const binary = new Set(kinds.flatMap(({ isBinary }, index) => (isBinary === true ? [`c${index}`] : [])));
  const columns = ['id', 'part', 'doubled', ...kinds.map((_, index) => `c${index}`)];
  const rows = [...consumer.table(name)].map(([key, row]) => {
    const values = columns.map(column => [column, readable(row[column], binary.has(column))]);
    return [key, Object.fromEntries(values) as Row] as const;
  });
  return new Map(rows.toSorted(byKey));
}

/** A value that is absent stays so: it is not NULL. */
function readable(value: string | null | undefined, isBinary: boolean): string | null {
  if (value === undefined) return 'absent';
  return value !== null && isBinary ? binaryValue(value).toString('hex') : value;
}
