import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFilter } from '../src/tables/table-filter.ts';

function selected(rules: readonly string[], names: readonly string[], caseSensitive = false): string[] {
  const filter = tableFilter(rules, caseSensitive);
  return names.filter(name => {
    const dot = name.lastIndexOf('.');
    return filter.matches(name.slice(0, dot), name.slice(dot + 1));
  });
}

test('wildcards stand for any text, a character, or one of several', () => {
  const names = ['app.users', 'app.user1', 'app.user22', 'shop.users'];
  assert.deepEqual(selected(['app.*'], names), ['app.users', 'app.user1', 'app.user22']);
  assert.deepEqual(selected(['*.user?'], names), ['app.users', 'app.user1', 'shop.users']);
  assert.deepEqual(selected(['app.user[0-9]*'], names), ['app.user1', 'app.user22']);
  assert.deepEqual(selected(['app.user[!0-9]'], names), ['app.users']);
});

test('the last rule that matches decides', () => {
  assert.deepEqual(selected(['app.*', '!app.tmp*', 'app.tmp_keep'], ['app.a', 'app.tmp1', 'app.tmp_keep']), [
    'app.a',
    'app.tmp_keep',
  ]);
});

test('names may be quoted, and patterns may be regular expressions', () => {
  assert.deepEqual(selected(['`a.b`.`c*`'], ['a.b.c*', 'a.b.cd']), ['a.b.c*']);
  assert.deepEqual(selected(['"a""b".t'], ['a"b.t']), ['a"b.t']);
  assert.deepEqual(selected([String.raw`/^(app|shop)$/./^u\w+$/`], ['app.users', 'apps.users']), [
    'app.users',
  ]);
});

test('a schema beside public is matched by database and schema together', () => {
  assert.deepEqual(selected(['app.audit.*'], ['app.users', 'app.audit.log']), ['app.audit.log']);
  assert.deepEqual(selected(['app.*'], ['app.users', 'app.audit.log']), ['app.users']);
  assert.deepEqual(selected(['app*.*'], ['app.users', 'app.audit.log']), ['app.users', 'app.audit.log']);
});

test('case counts only when asked', () => {
  assert.deepEqual(selected(['APP.Users'], ['app.users']), ['app.users']);
  assert.deepEqual(selected(['APP.Users'], ['app.users'], true), []);
});

test('wildcards pass over the tables that capturing itself writes', () => {
  assert.deepEqual(selected(['*.*'], ['app.users', 'app.change_events', 'app.changefeeds']), ['app.users']);
  assert.deepEqual(selected(['app.dlq_events', 'app.changefeeds'], ['app.dlq_events', 'app.changefeeds']), [
    'app.dlq_events',
  ]);
});

test('a rule that cannot be understood is refused by name', () => {
  for (const rule of ['users', 'app.', '.users', '/[/.t', '!', '']) {
    assert.throws(() => tableFilter([rule], false), { code: 'FILTER_RULE_INVALID' }, rule);
  }
});
