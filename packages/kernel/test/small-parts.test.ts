import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  backoffDelayMs,
  describeError,
  errorCode,
  explainError,
  isTidemarkError,
  seededRandom,
  systemClock,
  TestSignal,
  TidemarkError,
} from '../src/index.ts';

describe('back-off', () => {
  const policies = fc.record({
    baseMs: fc.integer({ min: 1, max: 10_000 }),
    capMs: fc.integer({ min: 1, max: 600_000 }),
  });

  test('lies within half and one and a half of the doubled base, bounded by the cap', () => {
    fc.assert(
      fc.property(
        policies,
        fc.nat(10_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (policy, attempt, random) => {
          const delay = backoffDelayMs(policy, attempt, () => random);
          const middle = Math.min(policy.baseMs * 2 ** attempt, policy.capMs);
          assert.ok(delay >= middle * 0.5 && delay <= middle * 1.5, `${delay} of ${middle}`);
        },
      ),
    );
  });

  test('never becomes shorter with the attempts, for the same luck', () => {
    fc.assert(
      fc.property(policies, fc.nat(2000), (policy, attempt) => {
        const [now, next] = [attempt, attempt + 1].map(number => backoffDelayMs(policy, number, () => 0.5));
        assert.ok(now !== undefined && next !== undefined && now <= next);
      }),
    );
  });
});

describe('seeded random', () => {
  test('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 5 }, random);
    };
    assert.deepEqual(draw(42), draw(42));
    assert.notDeepEqual(draw(42), draw(43));
  });

  test('is uniform in [0, 1) for any seed', () => {
    fc.assert(
      fc.property(fc.integer(), seed => {
        const random = seededRandom(seed);
        const tenths = Array.from({ length: 10 }, () => 0);
        for (let draw = 0; draw < 5000; draw += 1) {
          const value = random();
          assert.ok(value >= 0 && value < 1);
          const tenth = Math.floor(value * 10);
          tenths[tenth] = (tenths[tenth] ?? 0) + 1;
        }
        // 500 expected in each; eight standard deviations around it
        assert.ok(
          tenths.every(count => count > 330 && count < 670),
          tenths.join(' '),
        );
      }),
      { numRuns: 20 },
    );
  });
});

describe('system clock', () => {
  test('sleeps at least as long as asked, on the monotonic clock', async () => {
    const begun = systemClock.monotonic();
    await systemClock.sleep(20);
    assert.ok(systemClock.monotonic() - begun >= 19);
  });

  test('a sleep ends with the reason of its signal, also of one that aborted before', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(sleeping, /enough/);
    await assert.rejects(systemClock.sleep(0, controller.signal), /enough/);
  });

  test('a sleep longer than a timer can be does not end at once', async () => {
    const outcome = await Promise.race([
      systemClock.sleep(2 ** 40, AbortSignal.timeout(50)).catch(() => 'aborted'),
      systemClock.sleep(20).then(() => 'still asleep'),
    ]);
    assert.equal(outcome, 'still asleep');
  });
});

describe('test signal', () => {
  test('wakes those that wait for what is emitted, once, and forgets what nobody waited for', async () => {
    const signal = new TestSignal<number>();
    signal.emit(1);
    const [any, large] = [signal.next(), signal.next(value => value >= 5)];
    signal.emit(2);
    signal.emit(7);
    signal.emit(9);
    assert.deepEqual(await Promise.all([any, large]), [2, 7]);
  });
});

describe('errors', () => {
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });

  test('a person reads what was wrong, why, and what to do', () => {
    const error = new TidemarkError('BROKER_AWAY', 'no broker', {
      cause,
      hint: 'Start it.',
      facts: { port: 9092 },
    });
    assert.equal(explainError(error), 'no broker (connect refused)\n  Start it.');
    assert.equal(explainError(new TidemarkError('BROKER_AWAY', 'no broker')), 'no broker');
    assert.ok(isTidemarkError(error) && error instanceof Error && error.facts['port'] === 9092);
  });

  test('a code is found on any error and nowhere else', () => {
    fc.assert(fc.property(fc.anything(), thing => void errorCode(thing)));
    assert.equal(errorCode(cause), 'ECONNREFUSED');
    assert.equal(errorCode({ code: 7 }), undefined);
    assert.equal(errorCode(undefined), undefined);
  });

  test('anything that was thrown has a description', () => {
    assert.equal(describeError(Object.assign(new Error(''), { code: 'EPIPE' })), 'EPIPE');
    assert.equal(describeError(new AggregateError([new Error('first'), cause])), 'first; connect refused');
    assert.equal(describeError('text'), 'text');
    assert.equal(describeError(undefined), 'undefined');
  });

  test('an error that is its own cause has a description too', () => {
    const circular = new Error('again');
    circular.cause = circular;
    assert.match(describeError(circular), /^again/);
  });
});
