import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptsError, DeliveryError, type FailureKind, retrying } from '@tidemark/pipeline';
import { batch, InstantClock, never, sinkOf } from './fakes.ts';

const policy = { attempts: 4, baseMs: 100, capMs: 300 };

/** A retrying sink that fails as listed and then succeeds. */
function failing(kinds: readonly FailureKind[], probe: () => Promise<void> = async () => {}) {
  const clock = new InstantClock();
  let deliveries = 0;
  const sink = sinkOf(async () => {
    const kind = kinds[deliveries];
    deliveries += 1;
    if (kind) throw new DeliveryError(kind, kind);
  });
  return {
    sink: retrying(sink, { policy, clock, random: () => 0.5, probe }),
    clock,
    deliveries: () => deliveries,
  };
}

test('delays are min(base·2^n, cap) times the jitter', async () => {
  const { sink, clock } = failing(['transient', 'transient', 'transient']);
  await sink.deliver(batch([1]), never);
  assert.deepEqual(clock.sleptMs, [100, 200, 300]);
});

test('a permanent failure is not tried again', async () => {
  const { sink, deliveries } = failing(['permanent']);
  await assert.rejects(sink.deliver(batch([1]), never), AttemptsError);
  assert.equal(deliveries(), 1);
});

test('after the last attempt the error says how many there were', async () => {
  const { sink } = failing(['transient', 'transient', 'transient', 'transient']);
  await assert.rejects(sink.deliver(batch([1]), never), (error: unknown) => {
    assert.ok(error instanceof AttemptsError);
    assert.equal(error.attempts, 4);
    return true;
  });
});

test('a sink that is down is waited for, and the wait does not count as an attempt', async () => {
  const outage = Array.from({ length: 50 }, () => 'down' as const);
  const { sink, deliveries } = failing([...outage, 'transient', 'transient', 'transient']);
  await sink.deliver(batch([1]), never);
  assert.equal(deliveries(), 54);
});

test('pitfall 10, an outage that does not look like one: failures before a probe that fails are not the event’s', async () => {
  const sick = [false, true, true, false, false];
  const probe = async () => {
    if (sick.shift()) throw new Error('sick');
  };
  // Well after the first attempt, sick after two more; only the three that follow count, and four would be too many.
  const { sink, deliveries } = failing(
    Array.from({ length: 6 }, () => 'transient'),
    probe,
  );
  await sink.deliver(batch([1]), never);
  assert.equal(deliveries(), 7);
  assert.equal(sick.length, 0);
});

test('a batch of several is given up without a probe, because bisection comes next', async () => {
  const { sink } = failing(
    Array.from({ length: 4 }, () => 'transient'),
    () => assert.fail('no probe is due'),
  );
  await assert.rejects(sink.deliver(batch([1, 2]), never), AttemptsError);
});

test('a shutdown ends the waiting at once', async () => {
  const stop = new AbortController();
  const sink = retrying(
    sinkOf(async () => {
      stop.abort(new Error('stopping'));
      throw new DeliveryError('down', 'down');
    }),
    { policy, clock: new InstantClock(), random: () => 0, probe: async () => {} },
  );
  await assert.rejects(sink.deliver(batch([1]), stop.signal), /stopping/);
});
