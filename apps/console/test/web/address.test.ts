import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { matchCommands, parseTyped } from '../../src/web/app/commands.ts';
import { parseAddress, writeAddress } from '../../src/web/app/search-params.ts';
import { localPath } from '../../src/web/features/auth/local-path.ts';
import {
  filterOf,
  isLive,
  parseChangeSearch,
  toggleOperation,
} from '../../src/web/features/changes/change-search.ts';
import { fromInputValue, toInputValue } from '../../src/web/features/changes/time-input.ts';

describe('the address', () => {
  test('keeps every text as it is, whatever it looks like', () => {
    assert.equal(
      writeAddress({ key: '007', q: 'a&b=c', table: undefined, type: '' }),
      '?key=007&q=a%26b%3Dc',
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), search => {
        assert.deepEqual({ ...parseAddress(writeAddress(search)) }, { ...search });
      }),
    );
  });

  test('of the changes page drops what makes no sense', () => {
    const parsed = parseChangeSearch({
      table: ' users ',
      key: '9007199254740993',
      last: '3y',
      from: 'soon',
      to: '2026-11-21',
    });
    assert.deepEqual(parsed, { table: 'users', key: '9007199254740993', to: '2026-11-21T00:00:00.000Z' });
    assert.equal(isLive(parsed), false);
    assert.deepEqual(parseChangeSearch({ last: '5m', from: '2026-11-21' }), { last: '5m' });
  });

  test('a stretch of time that ends now becomes a fixed start', () => {
    const nowMs = Date.parse('2026-11-21T10:00:00Z');
    assert.deepEqual(filterOf({ table: 'users', last: '15m' }, nowMs), {
      table: 'users',
      from: '2026-11-21T09:45:00.000Z',
    });
    assert.deepEqual(filterOf({ q: 'x' }, nowMs), { q: 'x' });
  });

  test('all operations are the same as none', () => {
    assert.equal(toggleOperation(undefined, 'UPDATE'), 'UPDATE');
    assert.equal(toggleOperation('UPDATE', 'INSERT'), 'INSERT,UPDATE');
    assert.equal(toggleOperation('INSERT,UPDATE', 'DELETE'), undefined);
    assert.equal(toggleOperation('UPDATE', 'UPDATE'), undefined);
  });

  test('after signing in never leads to another host', () => {
    assert.equal(localPath('/changes?q=1'), '/changes?q=1');
    for (const next of [
      undefined,
      '',
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      '/sign-in?next=/',
    ]) {
      assert.equal(localPath(next), '/');
    }
  });

  test('times in inputs come back as the same instant', () => {
    const iso = '2026-11-21T10:00:07.000Z';
    for (const zone of ['utc', 'local'] as const)
      assert.equal(fromInputValue(toInputValue(iso, zone), zone), iso);
    assert.equal(fromInputValue('', 'utc'), undefined);
  });
});

describe('the palette', () => {
  const command = (title: string, words = '') => ({
    id: title,
    title,
    words,
    group: 'Go to' as const,
    run: () => {},
  });

  test('finds by all words and puts those that start with the text first', () => {
    const commands = [command('Dark theme'), command('Theme as the system'), command('Users', 'accounts')];
    const titles = (typed: string) => matchCommands(commands, typed).map(each => each.title);
    assert.deepEqual(titles('theme'), ['Theme as the system', 'Dark theme']);
    assert.deepEqual(titles('dark th'), ['Dark theme']);
    assert.deepEqual(titles('accounts'), ['Users']);
    assert.equal(titles('').length, 3);
    assert.deepEqual(titles('nothing'), []);
  });

  test('reads a table and a key as a row', () => {
    assert.deepEqual(parseTyped('users 42').row, { table: 'users', key: '42' });
    assert.deepEqual(parseTyped('pgbench_accounts/7,1').row, { table: 'pgbench_accounts', key: '7,1' });
    assert.equal(parseTyped('two words more').row, undefined);
    assert.equal(parseTyped('users').row, undefined);
  });
});
