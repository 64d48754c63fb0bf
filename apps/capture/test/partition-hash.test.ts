import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { PartitionHash } from '../src/tables/partition-hash.ts';

test('the hash is the XOR of the CRC-32 of table and of each key column', () => {
  const hash = new PartitionHash('test', 'users').reset();
  hash.add(crc32('id'), Buffer.from('42'));
  hash.add(crc32('name'), Buffer.from('x'));
  const expected = (crc32('testusers') ^ crc32('id42') ^ crc32('namex')) >>> 0;
  assert.equal(hash.partition(2 ** 32), expected);
  assert.equal(hash.partition(3), expected % 3);
});

test('a row begun anew does not remember the one before', () => {
  const hash = new PartitionHash('test', 'users').reset();
  hash.add(crc32('id'), Buffer.from('1'));
  assert.equal(hash.reset().partition(2 ** 32), crc32('testusers'));
});
