import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CanalMessage, decode, encode, type RowChange } from '@tidemark/canal-json';

const lines = readFileSync(new URL('fixtures/ticdc-samples.ndjson', import.meta.url), 'utf8')
  .split('\n')
  .filter(line => line !== '');

function sample(line: number): CanalMessage {
  return decode(Buffer.from(lines[line - 1] ?? ''));
}

function row(line: number): RowChange {
  const message = sample(line);
  assert.ok(message.kind === 'row');
  return message;
}

test('a schema statement about a whole database has no table', () => {
  assert.deepEqual(sample(1), {
    kind: 'ddl',
    type: 'QUERY',
    database: 'demo',
    table: '',
    esMs: 1786358942663,
    tsMs: 1786358942868,
    sql: 'CREATE DATABASE IF NOT EXISTS `demo`',
    commitTs: undefined,
  });
});

test('an insert has the new row and no old one', () => {
  assert.deepEqual(row(3), {
    kind: 'row',
    type: 'INSERT',
    database: 'demo',
    table: 'readings',
    pkNames: ['id'],
    esMs: 1786358942713,
    tsMs: 1786358944991,
    sqlTypes: { id: 4, device: 12, value: 4 },
    mysqlTypes: { id: 'int', device: 'varchar', value: 'int' },
    data: { id: '1', device: 'dev-a', value: '10' },
    old: null,
    commitTs: undefined,
    onlyHandleKey: false,
    claimCheckLocation: undefined,
    rowKey: undefined,
  });
});

test('an update has both rows', () => {
  assert.deepEqual(row(4).old, { id: '1', device: 'dev-a', value: '10' });
  assert.deepEqual(row(4).data, { id: '1', device: 'dev-a', value: '11' });
});

test('a delete has the removed row as its data', () => {
  assert.deepEqual(
    [row(5).type, row(5).data, row(5).old],
    ['DELETE', { id: '1', device: 'dev-a', value: '11' }, null],
  );
});

test('commit positions beyond 2^53 are exact', () => {
  assert.equal(row(6).commitTs, 464043256649875456n);
  assert.equal(row(7).commitTs, 464073967049113629n);
  assert.equal(row(7).data['_tidb_origin_ts'], '464073966942421014');
  assert.equal(row(8).commitTs, 464074446196178963n);
  assert.equal(row(12).commitTs, 429918007904436226n);
});

test('NULL is null on both sides of an update', () => {
  assert.equal(row(8).old?.['_tidb_softdelete_time'], null);
  assert.equal(row(8).data['_tidb_softdelete_time'], '2026-02-05 22:58:40.992217');
  assert.equal(row(8).data['_tidb_origin_ts'], null);
});

test('a composite primary key keeps its column order', () => {
  assert.deepEqual(row(9).pkNames, ['id', 'first_name']);
});

test('the older layout, data before old, means the same', () => {
  assert.deepEqual(row(10).data['HireDate'], '2014-06-04');
  assert.equal(row(11).type, 'DELETE');
  assert.equal(row(11).data['id'], '101');
  assert.equal(row(12).data['c_bigint'], '9223372036854775807');
});

test('a watermark carries its position', () => {
  assert.deepEqual(sample(13), {
    kind: 'watermark',
    esMs: 1640007049196,
    tsMs: 1640007050284,
    watermarkTs: 429918007904436226n,
  });
});

test('rows that were too large say where the rest is', () => {
  assert.equal(row(14).onlyHandleKey, true);
  assert.equal(row(14).commitTs, 429918007904436226n);
  assert.equal(row(15).claimCheckLocation, 's3:/claim-check-bucket/${uuid}.json');
});

test('schema changes carry their statement and, with the extension, their position', () => {
  assert.deepEqual(
    [16, 19, 21].map(line => sample(line)).map(({ kind, ...rest }) => [kind, 'type' in rest && rest.type]),
    [
      ['ddl', 'CREATE'],
      ['ddl', 'CREATE'],
      ['ddl', 'CINDEX'],
    ],
  );
  const created = sample(16);
  assert.equal(created.kind === 'ddl' && created.commitTs, 417318403368288260n);
});

test('names keep their case', () => {
  assert.equal(row(17).table, 'test_Cdc');
  assert.deepEqual(row(17).data, { Name: 'zs', id: '1' });
});

test('the text "null" is not NULL', () => {
  assert.equal(row(18).data['a'], 'null');
});

/** Every line: what it is, where it belongs, its key, how many columns it has and where it stands. */
const meanings: readonly (readonly [string, string, string, string, number, bigint | undefined])[] = [
  ['QUERY', 'demo', '', '', 0, undefined],
  ['CREATE', 'demo', 'readings', '', 0, undefined],
  ['INSERT', 'demo', 'readings', 'id', 3, undefined],
  ['UPDATE', 'demo', 'readings', 'id', 3, undefined],
  ['DELETE', 'demo', 'readings', 'id', 3, undefined],
  ['INSERT', 'test_active', 'message', 'id', 5, 464043256649875456n],
  ['INSERT', 'test_active', 'message', 'id', 5, 464073967049113629n],
  ['UPDATE', 'test_active', 'message', 'id', 5, 464074446196178963n],
  ['INSERT', 'test_active', 'message2', 'id,first_name', 5, 464085165736198159n],
  ['INSERT', 'test', 'employee', 'id', 5, undefined],
  ['DELETE', 'test', 'employee', 'id', 5, undefined],
  ['INSERT', 'test', 'tp_int', 'id', 6, 429918007904436226n],
  ['watermark', '', '', '', 0, 429918007904436226n],
  ['INSERT', 'test', 'tp_int', 'id', 1, 429918007904436226n],
  ['INSERT', 'test', 'tp_int', 'id', 1, 429918007904436226n],
  ['CREATE', 'cdc', 'person', '', 0, 417318403368288260n],
  ['INSERT', 'test', 'test_Cdc', 'id', 2, 437430669647544322n],
  ['INSERT', 'test', 't', 'idx', 2, undefined],
  ['CREATE', 'ticdc_canal_json_test', 'jiawei_test2', '', 0, undefined],
  ['DELETE', 'ticdc_canal_json_test', 'jiawei_test2', 'id', 2, undefined],
  ['CINDEX', 'ticdc_canal_json_test', 'jiawei_test2', '', 0, undefined],
  ['INSERT', 'app', 'users', 'id', 3, undefined],
];

test('every line has the documented meaning', () => {
  assert.equal(lines.length, meanings.length);
  for (const [at, meaning] of meanings.entries()) {
    const message = sample(at + 1);
    if (message.kind === 'watermark') {
      assert.deepEqual(['watermark', '', '', '', 0, message.watermarkTs], meaning);
      continue;
    }
    const { type, database, table, commitTs } = message;
    const key = message.kind === 'row' ? message.pkNames.join() : '';
    const columns = message.kind === 'row' ? Object.keys(message.data).length : 0;
    assert.deepEqual([type, database, table, key, columns, commitTs], meaning, `line ${at + 1}`);
    if (message.kind === 'row') {
      assert.equal(message.old !== null, message.type === 'UPDATE');
      for (const column of Object.keys(message.data)) {
        assert.equal(typeof message.sqlTypes[column], 'number', `line ${at + 1} ${column}`);
        assert.equal(typeof message.mysqlTypes[column], 'string', `line ${at + 1} ${column}`);
      }
    } else {
      assert.notEqual(message.sql, '');
    }
  }
});

/** Lines in the layout that current releases write; the others differ in field order (SOURCES.md says which). */
const currentLayout = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 18, 19, 21, 22];

test('a message in the current layout encodes to the bytes it was decoded from', () => {
  for (const line of currentLayout)
    assert.equal(encode(sample(line)).toString(), lines[line - 1], `line ${line}`);
});

test('a message in the older layout encodes to one with the same meaning', () => {
  for (let line = 1; line <= lines.length; line += 1)
    assert.deepEqual(decode(encode(sample(line))), sample(line));
});
