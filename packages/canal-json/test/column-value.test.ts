import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitText, claimCheckValue, decode, enumLabel, isBinaryType, setLabels } from '@tidemark/canal-json';

test('bytes are told by the type itself, not by what it mentions', () => {
  const binary = [
    'blob',
    'tinyblob',
    'mediumblob',
    'longblob',
    'binary',
    'varbinary',
    'binary(16)',
    'VARBINARY(8)',
  ];
  assert.ok(binary.every(isBinaryType));
  const others = [`enum('blob')`, `set('binary')`, 'text', 'varchar(10)', 'bit(8)', 'blobby'];
  assert.ok(!others.some(isBinaryType));
});

test('an ENUM is the number of its label', () => {
  const type = `enum('a','it''s','','x,y')`;
  assert.deepEqual(
    ['1', '2', '3', '4', '5', '0'].map(value => enumLabel(type, value)),
    ['a', `it's`, '', 'x,y', undefined, undefined],
  );
  assert.equal(enumLabel('enum', '1'), undefined);
});

test('a SET is the mask of its labels, up to 64 of them', () => {
  assert.deepEqual(setLabels(`set('a','b','c')`, '5'), ['a', 'c']);
  assert.deepEqual(setLabels(`set('a','b','c')`, '0'), []);
  const many = Array.from({ length: 64 }, (_, at) => `l${at}`);
  const type = `set(${many.map(label => `'${label}'`).join()})`;
  assert.deepEqual(setLabels(type, '9223372036854775809'), ['l0', 'l63']);
  assert.equal(setLabels('set', '1'), undefined);
});

test('a BIT is an unsigned number of as many bits as its type says', () => {
  assert.equal(bitText('bit(8)', '5'), '00000101');
  assert.equal(bitText('bit', '1'), '1');
  assert.equal(bitText('bit(64)', '18446744073709551615'), '1'.repeat(64));
});

test('a claim check holds the message in base64, or is the message', () => {
  const message = Buffer.from(
    '{"id":0,"database":"d","table":"t","pkNames":null,"isDdl":true,"type":"QUERY","es":1,"ts":2,"sql":"","sqlType":null,"mysqlType":null,"data":null,"old":null}',
  );
  const file = JSON.stringify({ key: '', value: message.toString('base64') });
  assert.deepEqual(decode(claimCheckValue(Buffer.from(file))), decode(message));
  assert.deepEqual(decode(claimCheckValue(message)), decode(message));
  for (const other of ['', '{}', '[]', 'null', '{"value":7}']) {
    assert.throws(() => claimCheckValue(Buffer.from(other)), { code: 'CANAL_JSON_CLAIM_CHECK' });
  }
});
