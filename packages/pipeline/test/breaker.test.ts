import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaker, type BreakerState, DeliveryError } from '@tidemark/pipeline';
import { batch, never, sinkOf } from './fakes.ts';
import { VirtualClock } from './simulation/virtual-clock.ts';

/** A breaker over a sink that fails while `down` is set. */
function guarded() {
  const clock = new VirtualClock();
  const states: BreakerState[] = [];
  const breaker = new Breaker({
    failures: 2,
    cooldown: { baseMs: 1000, capMs: 4000 },
    clock,
    random: () => 0.5,
    onState: state => void states.push(state),
  });
  const world = { down: false, deliveries: 0 };
  const sink = breaker.guard(
    sinkOf<number>(async () => {
      world.deliveries += 1;
      if (world.down) throw new DeliveryError('down', 'down');
    }),
  );
  return { clock, breaker, states, world, deliver: (signal = never) => sink.deliver(batch([1]), signal) };
}

test('it opens after so many failures in a row, and then lets nothing through', async () => {
  const { breaker, world, deliver } = guarded();
  world.down = true;
  await assert.rejects(deliver());
  assert.equal(breaker.state, 'closed');
  await assert.rejects(deliver());
  assert.equal(breaker.state, 'open');
  const stop = new AbortController();
  const waiting = deliver(stop.signal);
  assert.equal(world.deliveries, 2);
  stop.abort(new Error('stopping'));
  await assert.rejects(waiting, /stopping/);
});

test('after the cooldown one delivery probes while the others wait; its success lets all of them through', async () => {
  const { clock, breaker, states, world, deliver } = guarded();
  world.down = true;
  await assert.rejects(deliver());
  await assert.rejects(deliver());
  world.down = false;
  const waiting = Promise.all([deliver(), deliver(), deliver()]);
  await clock.run(() => breaker.state === 'closed', 10_000);
  await waiting;
  assert.equal(clock.monotonic(), 1000);
  assert.deepEqual(states, ['open', 'half-open', 'closed']);
  assert.equal(world.deliveries, 5);
});

test('a probe that fails opens it again for longer', async () => {
  const { clock, world, states, deliver } = guarded();
  world.down = true;
  await assert.rejects(deliver());
  await assert.rejects(deliver());
  const probe = assert.rejects(deliver());
  await clock.run(() => states.length === 3, 10_000);
  await probe;
  world.down = false;
  const next = deliver();
  await clock.run(() => states.length === 5, 10_000);
  await next;
  assert.equal(clock.monotonic(), 3000);
  assert.deepEqual(states, ['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('failures of events do not open it', async () => {
  const { clock } = guarded();
  const breaker = new Breaker({
    failures: 1,
    cooldown: { baseMs: 1, capMs: 1 },
    clock,
    random: () => 0,
  });
  const sink = breaker.guard(
    sinkOf<number>(async () => {
      throw new DeliveryError('permanent', 'constraint');
    }),
  );
  await assert.rejects(sink.deliver(batch([1]), never));
  assert.equal(breaker.state, 'closed');
});
