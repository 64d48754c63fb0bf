import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimit } from '../src/rate-limit.ts';
import { batch, never, sinkOf } from './fakes.ts';
import { VirtualClock } from './simulation/virtual-clock.ts';

/** Deliveries of ten events each under a limit; the times at which they began, milliseconds. */
function limited(eventsPerSec: number) {
  const clock = new VirtualClock();
  const rate = new RateLimit(eventsPerSec, clock);
  const beganMs: number[] = [];
  const sink = rate.guard(sinkOf<number>(async () => void beganMs.push(clock.monotonic())));
  const ten = Array.from({ length: 10 }, (_, id) => id);
  const deliver = (signal = never) => sink.deliver(batch(ten), signal);
  return { clock, rate, beganMs, deliver };
}

test('deliveries are spaced by what the ones before them use', async () => {
  const { clock, beganMs, deliver } = limited(10);
  void deliver();
  void deliver();
  void deliver();
  await clock.run(() => beganMs.length === 3, 10_000);
  assert.deepEqual(beganMs, [0, 1000, 2000]);
});

test('a lifted limit lets those go at once that wait under the old one', async () => {
  const { clock, rate, beganMs, deliver } = limited(0.1);
  const all = [deliver(), deliver(), deliver()];
  clock.at(500, () => {
    rate.eventsPerSec = Infinity;
  });
  await clock.run(() => beganMs.length === 3, 1000);
  await Promise.all(all);
  assert.deepEqual(beganMs, [0, 500, 500]);
});

test('a lower limit holds for those that wait, a higher one shortens their wait', async () => {
  const { clock, rate, beganMs, deliver } = limited(10);
  void deliver();
  void deliver();
  clock.at(500, () => {
    rate.eventsPerSec = 5;
  });
  await clock.run(() => beganMs.length === 2, 10_000);
  assert.deepEqual(beganMs, [0, 1500]);
});

test('a limit that is set later holds from then on', async () => {
  const { clock, rate, beganMs, deliver } = limited(Infinity);
  await deliver();
  rate.eventsPerSec = 10;
  void deliver();
  void deliver();
  await clock.run(() => beganMs.length === 3, 10_000);
  assert.deepEqual(beganMs, [0, 0, 1000]);
});

test('who gives up while waiting leaves the place to the next', async () => {
  const { clock, beganMs, deliver } = limited(10);
  const impatient = new AbortController();
  void deliver();
  const given = assert.rejects(deliver(impatient.signal));
  void deliver();
  clock.at(100, () => impatient.abort(new Error('enough')));
  await clock.run(() => beganMs.length === 2, 10_000);
  await given;
  assert.deepEqual(beganMs, [0, 1000]);
});
