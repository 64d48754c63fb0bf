import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { decode } from '@tidemark/canal-json';
import { defaultMask } from '../src/changefeed/replica-config.ts';
import { schemaStatements } from '../src/stream/schema-statements.ts';
import { columnTreatment } from '../src/tables/column-treatment.ts';
import { tableFilter } from '../src/tables/table-filter.ts';
import { eventually } from '@tidemark/testkit';
import { type CaptureBench, openCaptureBench } from './support/capture-bench.ts';

const read = schemaStatements({
  databaseName: 'd',
  filter: tableFilter(['d.*', '`d.other`.t'], false),
  treat: columnTreatment({ columnSelectors: [], mask: defaultMask, caseSensitive: false }),
});
const logged = (sql: string, fields: object = {}) =>
  read(Buffer.from(JSON.stringify({ tag: 'ALTER TABLE', schema: 'public', table: 't', sql, ...fields })));

test('statements have the types that TiCDC gives them', () => {
  const types = [
    ['CREATE TABLE', 'CREATE TABLE t ()'],
    ['CREATE TABLE AS', 'CREATE TABLE t AS SELECT 1'],
    ['DROP TABLE', 'DROP TABLE t'],
    ['ALTER TABLE', 'ALTER TABLE t ADD COLUMN a int'],
    ['ALTER TABLE', 'ALTER TABLE t RENAME TO u'],
    ['ALTER TABLE', 'ALTER TABLE t RENAME COLUMN a TO b'],
    ['ALTER TABLE', 'ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY (id)'],
    ['ALTER TABLE', 'ALTER TABLE t DROP CONSTRAINT c'],
    ['CREATE INDEX', 'CREATE INDEX ON t (id)'],
    ['DROP INDEX', 'DROP INDEX t_id_idx'],
    ['COMMENT', `COMMENT ON TABLE t IS 'x'`],
  ].map(([tag, sql = '']) => logged(sql, { tag })?.type);
  assert.deepEqual(types, [
    'CREATE',
    'CREATE',
    'ERASE',
    'ALTER',
    'RENAME',
    'ALTER',
    'CINDEX',
    'DINDEX',
    'CINDEX',
    'DINDEX',
    'QUERY',
  ]);
});

test('a statement is told as it was written, unless it could hold a secret', () => {
  const plain = `ALTER TABLE t ADD COLUMN note varchar(20) DEFAULT 'a;b' -- why`;
  assert.equal(logged(plain)?.sql, plain);
  const covered = [
    `ALTER TABLE t ADD COLUMN password text DEFAULT 'hunter2'`,
    `ALTER TABLE t ADD COLUMN "Token_id" numeric(10, 2) DEFAULT (77123.5)`,
    `ALTER TABLE t ADD COLUMN secret text DEFAULT E'hunter2\\'hunter2' /* hunter2 */`,
    `ALTER TABLE t ADD COLUMN secret text DEFAULT $x$hunter2$x$`,
    `ALTER TABLE t ADD COLUMN a int; INSERT INTO other VALUES ('hunter2', 77123)`,
    `UPDATE u SET a = 'hunter2'; ALTER TABLE t ADD COLUMN a int`,
    `DO $$ BEGIN UPDATE u SET a = 'hunter2'; ALTER TABLE t ADD COLUMN a int; END $$`,
    `/* x */ SELECT migrate('hunter2', 77123)`,
  ].map(sql => logged(sql)?.sql ?? '');
  for (const sql of covered) assert.doesNotMatch(sql, /hunter2|77123/);
  assert.equal(covered[0], `ALTER TABLE t ADD COLUMN password text DEFAULT '***'`);
  assert.equal(covered[1], `ALTER TABLE t ADD COLUMN "Token_id" numeric(10, 2) DEFAULT ('***')`);
});

test('tables that are not captured, and messages of somebody else, are passed over', () => {
  assert.equal(logged('ALTER TABLE t', { schema: 'unknown' }), undefined);
  assert.equal(logged('ALTER TABLE t', { schema: 'other' })?.database, 'd.other');
  for (const text of [
    '',
    '{',
    'null',
    '7',
    '{"tag":1}',
    '{"tag":"ALTER TABLE","schema":"public","table":"t"}',
  ]) {
    assert.equal(read(Buffer.from(text)), undefined);
  }
});

suite('a database that logs its schema statements', () => {
  let bench: CaptureBench;
  before(async () => {
    bench = await openCaptureBench();
    await bench.postgres.query(readFileSync(new URL('../sql/log-ddl.sql', import.meta.url), 'utf8'));
    await bench.postgres.query('CREATE TABLE told (id int PRIMARY KEY)');
    await bench.create('ddl', ['sre_app.told*']);
  });
  after(() => bench.close());

  test('has them in the topic, in their place among the rows, and only those that took effect', async () => {
    const statements = [
      `INSERT INTO told VALUES (1)`,
      `ALTER TABLE told ADD COLUMN a int DEFAULT 5`,
      `INSERT INTO told VALUES (2)`,
      `BEGIN; INSERT INTO told VALUES (3); ALTER TABLE told DROP COLUMN a; INSERT INTO told VALUES (4); COMMIT`,
      `BEGIN; ALTER TABLE told ADD COLUMN b int; ROLLBACK`,
      `CREATE INDEX ON told (id)`,
      `CREATE TABLE elsewhere (id int)`,
      `CREATE TABLE told_too (id int PRIMARY KEY)`,
      `DROP TABLE told_too`,
      `INSERT INTO told VALUES (5)`,
    ];
    for (const statement of statements) await bench.postgres.query(statement);
    await bench.received(10);
    const said = bench.topic.messages.map(({ value }) => {
      const message = decode(value);
      if (message.kind === 'row') return `row ${message.data['id']} ${Object.keys(message.data).join()}`;
      return message.kind === 'ddl' ? `${message.type} ${message.table}` : '';
    });
    assert.deepEqual(said, [
      'row 1 id',
      'ALTER told',
      'row 2 id,a',
      'row 3 id,a',
      'ALTER told',
      'row 4 id',
      'CINDEX told',
      'CREATE told_too',
      'ERASE told_too',
      'row 5 id',
    ]);
    const [, added] = bench.topic.messages.map(({ value }) => decode(value));
    assert.equal(added?.kind === 'ddl' && added.sql, statements[1]);
    assert.ok(
      bench.topic.messages.every(
        ({ changeId, partition, op }) => changeId && (op !== 'ddl' || partition === 0),
      ),
    );
  });

  test('tells of dropped indexes, each with the table that had it', async () => {
    await bench.postgres.query(`
      CREATE TABLE told_parts (id int, at date) PARTITION BY LIST (at);
      CREATE TABLE told_part PARTITION OF told_parts DEFAULT;
      CREATE INDEX told_parts_at ON told_parts (at);
      CREATE TABLE told_again (id int PRIMARY KEY, a int, b int);
      CREATE INDEX told_a ON told_again (a);
      CREATE INDEX told_b ON told_again (b);
      CREATE INDEX told_ab ON told_again (a, b);
      CREATE INDEX told_c ON told_again (a, id);
      CREATE TABLE elsewhere_too (id int PRIMARY KEY, a int);
      CREATE INDEX elsewhere_a ON elsewhere_too (a)`);
    await bench.postgres.query('CREATE TABLE told_mark (id int PRIMARY KEY)');
    const mark = await eventually('the statements before', () =>
      bench.topic.messages.findIndex(({ value }) => value.includes('CREATE TABLE told_mark')),
    );
    const statements = [
      'DROP INDEX told_a',
      'BEGIN; DROP INDEX told_b; ROLLBACK',
      'BEGIN; CREATE INDEX told_new ON told_again (b); DROP INDEX told_new; COMMIT',
      'DROP INDEX elsewhere_a, told_ab',
      'DROP INDEX told_parts_at',
      'DROP INDEX CONCURRENTLY told_b',
      `DO 'BEGIN DROP INDEX told_c; END'`,
      'DROP INDEX IF EXISTS told_c',
      'DROP TABLE told_again',
    ];
    for (const statement of statements) await bench.postgres.query(statement);
    const isLast = (value: Buffer) => value.includes('DROP TABLE told_again');
    await eventually('all of them', () => bench.topic.messages.some(({ value }) => isLast(value)));
    const said = bench.topic.messages.slice(mark + 1).map(({ value }) => {
      const message = decode(value);
      return message.kind === 'ddl'
        ? `${message.type} ${message.table} ${message.sql.split(' ', 3).join(' ')}`
        : '';
    });
    assert.deepEqual(said, [
      'DINDEX told_again DROP INDEX told_a',
      'CINDEX told_again BEGIN; CREATE INDEX',
      'DINDEX told_again BEGIN; CREATE INDEX',
      'DINDEX told_again DROP INDEX elsewhere_a,',
      'DINDEX told_parts DROP INDEX told_parts_at',
      'DINDEX told_again DROP INDEX CONCURRENTLY',
      `DINDEX told_again DO '***'`,
      'ERASE told_again DROP TABLE told_again',
    ]);
  });
});
