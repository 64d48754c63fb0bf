import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  formatBytes,
  formatCompact,
  formatCount,
  formatLag,
  formatRate,
  formatSeconds,
  groupDigits,
  plural,
} from '../../src/web/shared/format.ts';
import { formatAgo, formatClock, formatInstant, secondsBetween } from '../../src/web/shared/time.ts';

describe('amounts', () => {
  test('unknown is a dash, never a zero', () => {
    for (const format of [formatCount, formatCompact, formatRate, formatSeconds, formatBytes, formatLag]) {
      assert.equal(format(null), '–');
      assert.equal(format(undefined), '–');
    }
  });

  test('rates keep what matters at each size', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [0.04, '<0.1'],
      [0.44, '0.4'],
      [9.96, '10.0'],
      [12.4, '12'],
      [1240.6, '1,241'],
      [250_000, '250K'],
    ];
    for (const [rate, text] of cases) assert.equal(formatRate(rate), text);
  });

  test('durations use the two units that matter', () => {
    const cases: [number, string][] = [
      [0, '0 ms'],
      [0.0004, '<1 ms'],
      [0.0841, '84 ms'],
      [1.24, '1.2 s'],
      [2, '2 s'],
      [42.4, '42 s'],
      [184, '3 min 4 s'],
      [180, '3 min'],
      [7500, '2 h 5 min'],
      [277_200, '3 d 5 h'],
      [-0.02, '−20 ms'],
    ];
    for (const [seconds, text] of cases) assert.equal(formatSeconds(seconds), text);
  });

  test('lag speaks in its own unit', () => {
    assert.equal(formatLag({ value: 1, unit: 'events' }), '1 event');
    assert.equal(formatLag({ value: 48_210, unit: 'events' }), '48,210 events');
    assert.equal(formatLag({ value: 0.012, unit: 'seconds' }), '12 ms');
    assert.equal(formatLag({ value: 1_572_864, unit: 'bytes' }), '1.5 MiB');
  });

  test('digits of integers beyond 2^53 are grouped, not rounded', () => {
    assert.equal(groupDigits('9007199254740993'), '9,007,199,254,740,993');
    assert.equal(groupDigits('-1234'), '-1,234');
    assert.equal(groupDigits('12a'), '12a');
  });

  test('one is singular', () => {
    assert.equal(plural(1, 'change'), '1 change');
    assert.equal(plural(1200, 'change'), '1,200 changes');
  });
});

describe('instants', () => {
  test('carry milliseconds, and name the zone when it is UTC', () => {
    assert.equal(formatClock('2026-11-21T10:00:00.481Z', 'utc'), '10:00:00.481');
    assert.equal(formatInstant('2026-11-21T23:59:59.999Z', 'utc'), '2026-11-21 23:59:59.999 UTC');
  });

  test('ages count down from the coarsest unit that fits', () => {
    const nowMs = Date.parse('2026-11-21T10:00:00Z');
    assert.equal(formatAgo('2026-11-21T09:59:59.500Z', nowMs), 'just now');
    assert.equal(formatAgo('2026-11-21T10:00:05Z', nowMs), 'just now', 'a clock ahead of ours');
    assert.equal(formatAgo('2026-11-21T09:59:18Z', nowMs), '42 s ago');
    assert.equal(formatAgo('2026-11-21T09:00:00Z', nowMs), '1 h ago');
    assert.equal(formatAgo('2026-11-18T09:00:00Z', nowMs), '3 d ago');
  });

  test('what is not an instant is shown as it stands', () => {
    assert.equal(formatClock('soon', 'utc'), 'soon');
    assert.equal(formatAgo('soon', 0), 'soon');
  });

  test('durations between instants may be negative', () => {
    assert.equal(secondsBetween('2026-11-21T10:00:00.000Z', '2026-11-21T10:00:00.084Z'), 0.084);
    assert.ok(secondsBetween('2026-11-21T10:00:01Z', '2026-11-21T10:00:00Z') < 0);
  });
});
