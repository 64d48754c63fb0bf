import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  diffOf,
  headlineFields,
  looksNumeric,
  operationOf,
} from '../../src/web/shared/changes/change-diff.ts';
import { compareIds, curlFor } from '../../src/web/shared/changes/change-text.ts';

const states = (diff: ReturnType<typeof diffOf>) =>
  Object.fromEntries(diff.map(({ name, state }) => [name, state]));

describe('the difference that a change makes', () => {
  test('of an insert is a new row', () => {
    const diff = diffOf({ key: '1', type: 'INSERT', old: null, data: { id: '1', note: null } });
    assert.deepEqual(diff, [
      { name: 'id', before: undefined, after: '1', state: 'added' },
      { name: 'note', before: undefined, after: null, state: 'added' },
    ]);
  });

  test('of a delete is the row that went, which Canal-JSON puts into data', () => {
    const diff = diffOf({ key: '1', type: 'DELETE', old: null, data: { id: '1' } });
    assert.deepEqual(diff, [{ name: 'id', before: '1', after: undefined, state: 'removed' }]);
  });

  test('of an update counts only what differs, NULL and empty text told apart', () => {
    const diff = diffOf({
      key: '1',
      type: 'UPDATE',
      old: { id: '1', a: null, b: '', c: 'x' },
      data: { id: '1', a: '', b: '', c: null },
    });
    assert.deepEqual(states(diff), { id: 'same', a: 'changed', b: 'same', c: 'changed' });
  });

  test('of an update with only its changed columns in old takes the others as unchanged', () => {
    const diff = diffOf({ key: '1', type: 'UPDATE', old: { b: '1' }, data: { a: '7', b: '2' } });
    assert.deepEqual(states(diff), { a: 'same', b: 'changed' });
    assert.equal(diff[0]?.before, '7');
  });

  test('of an update that came without the old row shows the new one', () => {
    const diff = diffOf({ key: '1', type: 'UPDATE', old: null, data: { a: '7' } });
    assert.deepEqual(states(diff), { a: 'added' });
  });

  test('never claims to know whether a masked value changed', () => {
    const diff = diffOf({
      key: '1',
      type: 'UPDATE',
      old: { password_hash: '***' },
      data: { password_hash: '***' },
    });
    assert.deepEqual(states(diff), { password_hash: 'masked' });
    assert.deepEqual(
      states(diffOf({ key: '1', type: 'UPDATE', old: { token: null }, data: { token: '***' } })),
      {
        token: 'masked',
      },
    );
  });

  test('names the columns of the key first, since the store keeps rows in another order', () => {
    const data = { text: 'x', rating: '7', user_key: 'u', review_id: 'r-1' };
    const names = (key: string) => diffOf({ type: 'INSERT', old: null, data, key }).map(field => field.name);
    assert.deepEqual(names('r-1'), ['review_id', 'text', 'rating', 'user_key']);
    assert.deepEqual(names('u,7'), ['rating', 'user_key', 'text', 'review_id']);
    assert.deepEqual(names(''), ['text', 'rating', 'user_key', 'review_id']);
  });

  test('of a DDL has no columns', () => {
    assert.deepEqual(diffOf({ key: '1', type: 'ALTER', old: null, data: null }), []);
    assert.equal(operationOf('ALTER'), 'DDL');
    assert.equal(operationOf('insert'), 'INSERT');
  });

  test('keeps integers beyond 2^53 digit by digit', () => {
    const [field] = diffOf({
      key: '1',
      type: 'UPDATE',
      old: { n: '9007199254740992' },
      data: { n: '9007199254740993' },
    });
    assert.equal(field?.state, 'changed');
    assert.ok(looksNumeric(field.after));
    assert.ok(!looksNumeric('12-3'));
  });
});

describe('a headline', () => {
  test('names what changed, bookkeeping last', () => {
    const diff = diffOf({
      key: '1',
      type: 'UPDATE',
      old: { updated_at: '1', id: '1', role: 'viewer' },
      data: { updated_at: '2', id: '1', role: 'admin' },
    });
    assert.deepEqual(
      headlineFields(diff, 3).map(field => field.name),
      ['role', 'updated_at'],
    );
    assert.deepEqual(
      headlineFields(diff, 1).map(field => field.name),
      ['role'],
    );
  });

  test('of a whole row names the first columns that hold something, without the masked', () => {
    const diff = diffOf({
      key: '1',
      type: 'INSERT',
      old: null,
      data: { id: '1', token: '***', note: null, email: 'a@b' },
    });
    assert.deepEqual(
      headlineFields(diff, 3).map(field => field.name),
      ['id', 'email'],
    );
  });
});

describe('what is copied', () => {
  test('a command line survives quotes in a key', () => {
    const line = curlFor('http://localhost:3000', "/api/changes?key=o'neil");
    assert.equal(
      line,
      `curl -H "Authorization: Bearer $TIDEMARK_TOKEN" 'http://localhost:3000/api/changes?key=o'\\''neil'`,
    );
  });

  test('ids are ordered as numbers of any size', () => {
    assert.ok(compareIds('9', '10') < 0);
    assert.ok(compareIds('9007199254740993', '9007199254740992') > 0);
    assert.equal(compareIds('7', '7'), 0);
  });
});
