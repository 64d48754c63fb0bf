import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { eventually } from '@tidemark/testkit';
import type { GivenConfig } from '../src/changefeed/replica-config.ts';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

suite('rows that are placed by a unique index', () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench();
    await bench.postgres.query(`
      CREATE TABLE placed (id int PRIMARY KEY, region text NOT NULL, code text NOT NULL, v text, maybe text UNIQUE);
      CREATE UNIQUE INDEX "Placed_By" ON placed (code, region) INCLUDE (v);
      CREATE UNIQUE INDEX partial ON placed (code) WHERE id < 0;
      CREATE UNIQUE INDEX lowered ON placed (id, lower(code));
      CREATE INDEX plain ON placed (code);
      ALTER TABLE placed REPLICA IDENTITY FULL;
      CREATE TABLE keyed (id int PRIMARY KEY, code text NOT NULL UNIQUE);
      CREATE TABLE named (id int PRIMARY KEY, code text NOT NULL UNIQUE);
      ALTER TABLE named REPLICA IDENTITY USING INDEX named_code_key`);
  });
  after(() => bench.close());

  const by = (index: string): GivenConfig => ({
    sink: { dispatchers: [{ matcher: ['*.*'], partition: 'index-value', index }] },
  });
  const placedBy = (table: string, ...groups: string[]) =>
    [`sre_app${table}`, ...groups].reduce((all, group) => (all ^ crc32(group)) >>> 0, 0) % 3;
  const said = () =>
    bench.topic
      .rows()
      .map(({ type, data }, at) => `${type} ${data['id']} ${bench.topic.messages[at]?.partition}`);
  const sumOf = (region: string, code: string) => placedBy('placed', `region${region}`, `code${code}`);

  test('stand in the partition of its values, copies too, and one that leaves it is deleted there', async () => {
    bench.topic.messages.length = 0;
    await bench.postgres.query(`INSERT INTO placed VALUES (1, 'eu', 'a')`);
    // The name in another case is the same name.
    await bench.create('by-index', ['sre_app.placed'], { ...by('placed_by'), initial_copy: true });
    await bench.received(1);
    for (const statement of [
      `INSERT INTO placed VALUES (2, 'us', 'a')`,
      `UPDATE placed SET v = 'x' WHERE id = 1`,
      `UPDATE placed SET code = 'c' WHERE id = 1`,
      `DELETE FROM placed WHERE id = 2`,
    ]) {
      await bench.postgres.query(statement);
    }
    await bench.received(6);
    assert.deepEqual(said(), [
      `INSERT 1 ${sumOf('eu', 'a')}`,
      `INSERT 2 ${sumOf('us', 'a')}`,
      `UPDATE 1 ${sumOf('eu', 'a')}`,
      `DELETE 1 ${sumOf('eu', 'a')}`,
      `INSERT 1 ${sumOf('eu', 'c')}`,
      `DELETE 2 ${sumOf('us', 'a')}`,
    ]);
    assert.ok(new Set([sumOf('eu', 'a'), sumOf('us', 'a'), sumOf('eu', 'c')]).size > 1);
    await bench.changefeeds.remove('by-index');
  });

  test('are told apart by the key’s own index and by the one of the replica identity as well', async () => {
    for (const [table, index, group] of [
      ['keyed', 'keyed_pkey', 'id1'],
      ['named', 'named_code_key', 'codea'],
    ] as const) {
      bench.topic.messages.length = 0;
      await bench.create(`by-${table}`, [`sre_app.${table}`], by(index));
      await bench.postgres.query(`INSERT INTO ${table} VALUES (1, 'a')`);
      await bench.received(1);
      assert.equal(bench.topic.messages[0]?.partition, placedBy(table, group));
      await bench.changefeeds.remove(`by-${table}`);
    }
  });

  test('need one that is unique and never NULL, and whose columns a delete tells; else creation is refused', async () => {
    for (const index of ['missing', 'plain', 'partial', 'lowered', 'placed_maybe_key']) {
      await assert.rejects(bench.create('refused', ['sre_app.placed'], by(index)), {
        code: 'TABLE_INELIGIBLE',
        message: new RegExp(`no unique index ${index} over columns that are NOT NULL: Name an index`),
      });
    }
    await assert.rejects(bench.create('refused', ['sre_app.keyed'], by('keyed_code_key')), {
      code: 'TABLE_INELIGIBLE',
      message: /a delete does not tell column code: .*REPLICA IDENTITY FULL/,
    });
    const dispatchers = [{ matcher: ['*.*'], partition: 'table' as const, index: 'placed_by' }];
    await assert.rejects(bench.create('refused', ['sre_app.placed'], { sink: { dispatchers } }), {
      code: 'PARAMETER_INVALID',
      message: /only when its partition is "index-value"/,
    });
  });

  test('fail the changefeed with the remedy when the index is dropped under it', async () => {
    await bench.create('dropped', ['sre_app.placed'], by('Placed_By'));
    await bench.postgres.query('DROP INDEX "Placed_By"');
    await bench.postgres.query(`INSERT INTO placed VALUES (9, 'eu', 'i')`);
    const error = await eventually('failed', () => {
      const status = bench.changefeeds.statuses().get('dropped');
      return status?.state === 'failed' && (status.error ?? undefined);
    });
    assert.equal(error.code, 'CDC:DISPATCHER_INVALID');
    assert.match(error.message, /no unique index Placed_By .*CREATE UNIQUE INDEX/);
    await bench.changefeeds.remove('dropped');
  });
});
