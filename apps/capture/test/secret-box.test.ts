import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { secretBox } from '../src/changefeed/secret-box.ts';

test('what was sealed is read with the same secret, and looks different each time', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ unit: 'binary' }), (secret, text) => {
      const box = secretBox(secret);
      const [one, other] = [box.seal(text), box.seal(text)];
      assert.notEqual(one, other);
      assert.equal(box.open(one), text);
      assert.equal(secretBox(secret).open(other), text);
      assert.ok(text.length < 4 || !one.includes(text));
    }),
  );
});

test('another secret, none, or a changed text is an error that says what to do', () => {
  const kept = secretBox('a').seal('postgres://u:hunter2@h/d');
  const broken = `${kept.slice(0, -4)}AAAA`;
  for (const [box, text] of [
    [secretBox('b'), kept],
    [secretBox(undefined), kept],
    [secretBox('a'), broken],
  ] as const) {
    assert.throws(() => box.open(text), { code: 'SECRET_UNREADABLE', hint: /Set CAPTURE_SECRET/ });
  }
});

test('without a secret texts are kept as they are, and read with one', () => {
  const kept = secretBox(undefined).seal('kafka://h:1/t');
  assert.equal(kept, 'kafka://h:1/t');
  assert.equal(secretBox('later').open(kept), 'kafka://h:1/t');
});
