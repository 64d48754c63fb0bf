import assert from 'node:assert/strict';
import { after, before, beforeEach, suite, test } from 'node:test';
import { tsoToMs } from '@tidemark/canal-json';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

suite('rows of a captured table', () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench();
    await bench.postgres.query(`
      CREATE TABLE whole (id int PRIMARY KEY, name text, trace_context text);
      ALTER TABLE whole REPLICA IDENTITY FULL;
      CREATE TABLE keyed (id int PRIMARY KEY, name text, big text);
      ALTER TABLE keyed ALTER COLUMN big SET STORAGE EXTERNAL;
      CREATE TABLE bigwhole (id int PRIMARY KEY, name text, big text);
      ALTER TABLE bigwhole ALTER COLUMN big SET STORAGE EXTERNAL;
      ALTER TABLE bigwhole REPLICA IDENTITY FULL;
      CREATE TABLE secrets (id int PRIMARY KEY, password_hash text, "Token" text, secret_note text);
      ALTER TABLE secrets REPLICA IDENTITY FULL;
      CREATE SCHEMA other; CREATE TABLE other.things (id int PRIMARY KEY)`);
    await bench.create('rows', [
      'sre_app.whole',
      'sre_app.keyed',
      'sre_app.bigwhole',
      'sre_app.secrets',
      '`sre_app.other`.things',
    ]);
  });
  after(() => bench.close());
  beforeEach(() => {
    bench.topic.messages.length = 0;
  });

  /** Runs the transactions, one for each text, and answers what arrived: type, data, old. */
  async function captured(sql: string | readonly string[], count: number): Promise<unknown[]> {
    for (const transaction of [sql].flat()) await bench.postgres.query(transaction);
    await bench.received(count);
    return bench.topic.rows().map(({ type, data, old }) => [type, data, old]);
  }

  test('insert, update and delete carry the row before and after', async () => {
    const before = Date.now();
    assert.deepEqual(
      await captured(`INSERT INTO whole VALUES (1, 'a'); UPDATE whole SET name = NULL; DELETE FROM whole`, 3),
      [
        ['INSERT', { id: '1', name: 'a', trace_context: null }, null],
        ['UPDATE', { id: '1', name: null, trace_context: null }, { id: '1', name: 'a', trace_context: null }],
        ['DELETE', { id: '1', name: null, trace_context: null }, null],
      ],
    );
    const [row] = bench.topic.rows();
    assert.deepEqual([row?.database, row?.table, row?.pkNames], ['sre_app', 'whole', ['id']]);
    assert.ok(row !== undefined && row.esMs >= before && row.esMs <= Date.now());
    assert.equal(tsoToMs(row.commitTs ?? 0n), row.esMs);
  });

  test('a change is identified by its transaction and its index in it', async () => {
    await captured(
      [`INSERT INTO whole VALUES (1, 'a'), (2, 'b')`, 'DELETE FROM whole WHERE id = 1', 'DELETE FROM whole'],
      4,
    );
    const ids = bench.topic.messages.map(({ changeId }) => changeId.split(':'));
    const [first, second, third] = bench.topic
      .rows()
      .map(({ commitTs }) => commitTs ?? 0n)
      .filter((_, at) => at !== 1);
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    assert.ok(first < second && second < third);
    assert.deepEqual(ids, [
      ['rows', String(first), '0'],
      ['rows', String(first), '1'],
      ['rows', String(second), '0'],
      ['rows', String(third), '0'],
    ]);
  });

  test('without the full row as identity, old is absent and a delete has the key only', async () => {
    assert.deepEqual(
      await captured(
        `INSERT INTO keyed VALUES (1, 'a', 'b'); UPDATE keyed SET name = 'c'; DELETE FROM keyed`,
        3,
      ),
      [
        ['INSERT', { id: '1', name: 'a', big: 'b' }, null],
        ['UPDATE', { id: '1', name: 'c', big: 'b' }, null],
        ['DELETE', { id: '1' }, null],
      ],
    );
    assert.deepEqual(bench.topic.rows()[2]?.sqlTypes, { id: 4 });
  });

  test('a changed primary key becomes a delete and an insert of one transaction', async () => {
    assert.deepEqual(
      await captured(
        `INSERT INTO keyed VALUES (5, 'a', 'b'); UPDATE keyed SET id = 6; INSERT INTO whole VALUES (5, 'a');
         UPDATE whole SET id = 6; DELETE FROM keyed; DELETE FROM whole`,
        8,
      ),
      [
        ['INSERT', { id: '5', name: 'a', big: 'b' }, null],
        ['DELETE', { id: '5' }, null],
        ['INSERT', { id: '6', name: 'a', big: 'b' }, null],
        ['INSERT', { id: '5', name: 'a', trace_context: null }, null],
        ['DELETE', { id: '5', name: 'a', trace_context: null }, null],
        ['INSERT', { id: '6', name: 'a', trace_context: null }, null],
        ['DELETE', { id: '6' }, null],
        ['DELETE', { id: '6', name: 'a', trace_context: null }, null],
      ],
    );
    const [, removed, added] = bench.topic.messages.map(({ changeId }) => changeId);
    assert.equal(removed?.replace(/:1$/, ':2'), added);
  });

  test('a large value that did not change is known from the old row, or left out, but never null', async () => {
    const big = `repeat('x', 10000)`;
    const rows = await captured(
      `INSERT INTO keyed VALUES (1, 'a', ${big}); UPDATE keyed SET name = 'b';
       INSERT INTO bigwhole VALUES (1, 'a', ${big}); UPDATE bigwhole SET name = 'b';
       UPDATE bigwhole SET id = 2`,
      6,
    );
    assert.deepEqual(rows[1], ['UPDATE', { id: '1', name: 'b' }, null]);
    const text = 'x'.repeat(10_000);
    assert.deepEqual(rows[3], [
      'UPDATE',
      { id: '1', name: 'b', big: text },
      { id: '1', name: 'a', big: text },
    ]);
    assert.deepEqual(rows[5], ['INSERT', { id: '2', name: 'b', big: text }, null]);
    assert.deepEqual(bench.topic.rows()[1]?.mysqlTypes, { id: 'int', name: 'text' });
  });

  test('a row with a new key has its large value, which the server does not send again, while it is there', async () => {
    const big = `repeat('x', 10000)`;
    const rows = await captured(
      [
        `INSERT INTO keyed VALUES (50, 'a', ${big}), (60, 'a', ${big}); UPDATE keyed SET id = 51 WHERE id = 50`,
        'UPDATE keyed SET id = 61 WHERE id = 60; DELETE FROM keyed WHERE id = 61',
        'DELETE FROM keyed WHERE id = 51',
      ],
      8,
    );
    const whole = 'x'.repeat(10_000);
    assert.deepEqual(rows.slice(2), [
      ['DELETE', { id: '50' }, null],
      ['INSERT', { id: '51', name: 'a', big: whole }, null],
      ['DELETE', { id: '60' }, null],
      ['INSERT', { id: '61', name: 'a' }, null],
      ['DELETE', { id: '61' }, null],
      ['DELETE', { id: '51' }, null],
    ]);
    const indexes = bench.topic.messages.map(({ changeId }) => Number(changeId.split(':').at(-1)));
    assert.deepEqual(indexes, [0, 1, 2, 3, 0, 1, 2, 0]);
  });

  test('secrets never reach a message, before or after', async () => {
    await captured(
      `INSERT INTO secrets VALUES (1, 'hunter2', 'hunter3', NULL);
       UPDATE secrets SET password_hash = 'hunter4', secret_note = 'hunter5'; DELETE FROM secrets`,
      3,
    );
    const masked = { id: '1', password_hash: '***', Token: '***', secret_note: null };
    const rows = bench.topic.rows().map(({ data, old }) => [data, old]);
    assert.deepEqual(rows[0], [masked, null]);
    assert.deepEqual(rows[1], [{ ...masked, secret_note: '***' }, masked]);
    for (const { value } of bench.topic.messages) assert.doesNotMatch(value.toString(), /hunter/);
  });

  test('the trace of the writing request travels with the rows that it wrote', async () => {
    const trace = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
    await captured(
      `INSERT INTO whole VALUES (1, 'a', '${trace('1')}');
       UPDATE whole SET name = 'stranger';
       UPDATE whole SET trace_context = '${trace('2')}';
       UPDATE whole SET trace_context = 'nonsense';
       BEGIN; SELECT pg_logical_emit_message(true, 'traceparent', '${trace('3')}'); DELETE FROM whole; COMMIT;
       INSERT INTO whole VALUES (2)`,
      6,
    );
    assert.deepEqual(
      bench.topic.messages.map(({ traceparent }) => traceparent),
      [trace('1'), undefined, trace('2'), undefined, trace('3'), undefined],
    );
  });

  test('a table of another schema is in a database of that name', async () => {
    await captured('INSERT INTO other.things VALUES (1)', 1);
    assert.equal(bench.topic.rows()[0]?.database, 'sre_app.other');
  });

  test('what is rolled back is not captured, savepoints included', async () => {
    assert.deepEqual(
      await captured(
        `BEGIN; INSERT INTO keyed VALUES (20); ROLLBACK;
         BEGIN; INSERT INTO keyed VALUES (21); SAVEPOINT s; INSERT INTO keyed VALUES (22); ROLLBACK TO s; COMMIT`,
        1,
      ),
      [['INSERT', { id: '21', name: null, big: null }, null]],
    );
  });

  test('a table that is altered while it is captured goes on with its new columns', async () => {
    const rows = await captured(
      `INSERT INTO keyed VALUES (30); ALTER TABLE keyed ADD COLUMN extra int DEFAULT 7, DROP COLUMN big;
       INSERT INTO keyed VALUES (31)`,
      2,
    );
    assert.deepEqual(rows[1], ['INSERT', { id: '31', name: null, extra: '7' }, null]);
  });

  test('the row keeps its partition, whatever happens to its other columns', async () => {
    await captured(
      `INSERT INTO whole SELECT g, 'a' FROM generate_series(100, 150) g;
       UPDATE whole SET name = 'b' WHERE id >= 100; DELETE FROM whole WHERE id >= 100`,
      153,
    );
    const partitions = new Map<string, Set<number>>();
    for (const [index, { partition }] of bench.topic.messages.entries()) {
      const id = bench.topic.rows()[index]?.data['id'] ?? '';
      partitions.set(id, (partitions.get(id) ?? new Set()).add(partition));
    }
    assert.ok([...partitions.values()].every(set => set.size === 1));
    assert.equal(new Set([...partitions.values()].flatMap(set => [...set])).size, 3);
  });
});
