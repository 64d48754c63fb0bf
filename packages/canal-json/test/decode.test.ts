import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ddlTypes, decode, encode, previousRow, type RowChange } from '@tidemark/canal-json';
import { isTidemarkError } from '@tidemark/kernel';

const insert = {
  id: 0,
  database: 'd',
  table: 't',
  pkNames: ['id'],
  isDdl: false,
  type: 'INSERT',
  es: 1,
  ts: 2,
  sql: '',
  sqlType: { id: 4 },
  mysqlType: { id: 'int' },
  old: null,
  data: [{ id: '1' }],
};

function decodeText(text: string): RowChange {
  const message = decode(Buffer.from(text));
  assert.ok(message.kind === 'row');
  return message;
}

const decodeObject = (fields: object) => decodeText(JSON.stringify(fields));

function failure(message: string | Uint8Array): { code: string; text: string; facts: object } {
  try {
    decode(Buffer.from(message));
  } catch (error) {
    assert.ok(isTidemarkError(error), String(error));
    return { code: error.code, text: error.message, facts: error.facts };
  }
  throw new assert.AssertionError({ message: 'decode accepted it' });
}

test('a trailing CRLF is white space (v6.5.10)', () => {
  assert.deepEqual(decodeText(`${JSON.stringify(insert)}\r\n`).data, { id: '1' });
});

test('old:[null] is no old row (v5.1)', () => {
  assert.equal(decodeObject({ ...insert, type: 'UPDATE', old: [null] }).old, null);
});

test('old on a delete repeats the row and is dropped (before v5.4)', () => {
  assert.equal(decodeObject({ ...insert, type: 'DELETE', old: [{ id: '1' }] }).old, null);
});

test('pkNames null is no key', () => {
  assert.deepEqual(decodeObject({ ...insert, pkNames: null }).pkNames, []);
});

test('what an update leaves out of old did not change', () => {
  const update = { ...insert, type: 'UPDATE', data: [{ id: '1', a: 'x', b: null }], old: [{ b: 'y' }] };
  assert.deepEqual(previousRow(decodeObject(update)), { id: '1', a: 'x', b: 'y' });
  assert.deepEqual(previousRow(decodeObject({ ...update, old: [{}] })), { id: '1', a: 'x', b: null });
  assert.equal(previousRow(decodeObject({ ...update, old: null })), null);
});

test('the position is exact wherever the extension stands and however it is spaced', () => {
  const rest = JSON.stringify(insert).slice(1);
  const digits = '18446744073709551615';
  const texts = [
    `{"_tidb":{"commitTs":${digits}},${rest}`,
    `{"_tidb" : { "onlyHandleKey":false, "commitTs" : ${digits} } , ${rest}`,
    `{"_tidb":{"commitTs":1},${rest.slice(0, -1)},"_tidb":{"commitTs":7,"commitTs":${digits}}}`,
    `{"\\u005ftidb":{"commitTs":${digits}},${rest}`,
  ];
  for (const text of texts) assert.equal(decodeText(text).commitTs, 18446744073709551615n, text);
});

test('a column that looks like the extension is not it', () => {
  const data = [{ id: '1', _tidb: '"_tidb":{"commitTs":9}}' }];
  assert.equal(decodeObject({ ...insert, data }).commitTs, undefined);
  assert.equal(decodeObject({ ...insert, _tidb: { commitTs: 5 }, data }).commitTs, 5n);
});

test('an empty message has an error of its own, so that a pipeline can pass over it (v4.0.8)', () => {
  for (const message of ['', ' ', '\r\n']) assert.equal(failure(message).code, 'CANAL_JSON_EMPTY');
});

test('what is not JSON is reported with its byte position', () => {
  assert.deepEqual(failure('{"database":"ü",}').facts, { position: 17 });
  assert.deepEqual(failure('{"database":').facts, { position: 12 });
  assert.equal(failure('[]').code, 'CANAL_JSON_SYNTAX');
  assert.equal(failure(Uint8Array.of(0x7b, 0xff)).code, 'CANAL_JSON_SYNTAX');
});

test('a malformed field is named with its byte position, and its value is not quoted', () => {
  const text = JSON.stringify({ ...insert, database: 'ü', data: [{ id: '1', pin: 4711 }] });
  const { code, text: message, facts } = failure(text);
  assert.equal(code, 'CANAL_JSON_FIELD');
  assert.deepEqual(facts, {
    field: 'data[0].pin',
    position: Buffer.byteLength(text.slice(0, text.indexOf('4711'))),
  });
  assert.doesNotMatch(message, /4711/);
});

test('every field that a row needs is checked', () => {
  const cases: [object, string][] = [
    [{ type: 'BOOTSTRAP' }, 'type'],
    [{ database: 7 }, 'database'],
    [{ table: null }, 'table'],
    [{ pkNames: 'id' }, 'pkNames'],
    [{ es: 1.5 }, 'es'],
    [{ ts: '1' }, 'ts'],
    [{ sqlType: { id: 'int' } }, 'sqlType.id'],
    [{ mysqlType: [] }, 'mysqlType'],
    [{ data: null }, 'data'],
    [{ data: [{ id: '1' }, { id: '2' }] }, 'data[1]'],
    [{ data: ['1'] }, 'data[0]'],
    [{ type: 'UPDATE', old: {} }, 'old'],
    [{ _tidb: 1 }, '_tidb'],
    [{ _tidb: { commitTs: '1' } }, '_tidb.commitTs'],
    [{ _tidb: { commitTs: -1 } }, '_tidb.commitTs'],
    [{ _tidb: { commitTs: 1, claimCheckLocation: 1 } }, '_tidb.claimCheckLocation'],
    [{ type: 'TIDB_WATERMARK', _tidb: {} }, '_tidb.watermarkTs'],
    [{ type: 'CREATE', sql: null }, 'sql'],
  ];
  for (const [fields, field] of cases) {
    const { facts } = failure(JSON.stringify({ ...insert, ...fields }));
    assert.equal((facts as { field: string }).field, field);
  }
});

test('a missing field is named', () => {
  const { table: _, ...rest } = insert;
  assert.equal(failure(JSON.stringify(rest)).text, 'field table is missing: must be a text');
});

test('every kind of schema statement is read', () => {
  for (const type of ddlTypes) {
    const message = decode(
      Buffer.from(
        JSON.stringify({
          ...insert,
          type,
          isDdl: true,
          pkNames: null,
          sql: 'x',
          sqlType: null,
          mysqlType: null,
          data: null,
        }),
      ),
    );
    assert.deepEqual([message.kind, message.kind === 'ddl' && message.type], ['ddl', type]);
  }
});

test('unsigned numbers beyond 2^63 and full types of the content-compatible form pass through as they are', () => {
  const text =
    '{"id":0,"database":"d","table":"t","pkNames":["a"],"isDdl":false,"type":"UPDATE","es":1,"ts":2,"sql":"",' +
    '"sqlType":{"a":3,"b":4,"c":-7,"d":2004},"mysqlType":{"a":"bigint(20) unsigned","b":"enum(\'x\',\'y\')","c":"set(\'p\',\'q\')","d":"varbinary(8)"},' +
    '"old":[{"b":"1"}],"data":[{"a":"18446744073709551615","b":"2","c":"3","d":"\\u0000\\u00ff"}],"_tidb":{"commitTs":18446744073709551615}}';
  const change = decodeText(text);
  assert.equal(change.data['a'], '18446744073709551615');
  assert.equal(change.mysqlTypes['a'], 'bigint(20) unsigned');
  assert.deepEqual(previousRow(change), { ...change.data, b: '1' });
  assert.equal(change.commitTs, 2n ** 64n - 1n);
  assert.deepEqual(decode(encode(change)), change);
});
