import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bisecting, type DeadLetter, DeliveryError, deliverableItems } from '@tidemark/pipeline';
import * as fc from 'fast-check';
import { batch, InstantClock, never, sinkOf } from './fakes.ts';

/** A sink that takes a batch only when nothing in it is bad, and a bisection over it. */
function refusing() {
  const delivered: number[] = [];
  const letters: DeadLetter[] = [];
  const spans: { from: bigint; to: bigint }[] = [];
  let deliveries = 0;
  const sink = sinkOf<{ id: number; bad: boolean }>(async given => {
    deliveries += 1;
    const items = deliverableItems(given);
    if (items.some(({ event }) => event.bad))
      throw new DeliveryError('permanent', 'constraint', { errorClass: '23514' });
    delivered.push(...items.map(({ event }) => event.id));
    if (given.span) spans.push(given.span);
  });
  const bisected = bisecting(sink, {
    pipeline: 'p',
    deadLetters: async given => void letters.push(...given),
    clock: new InstantClock(),
  });
  return { bisected, delivered, letters, spans, deliveries: () => deliveries };
}

test('only the culprits are dead-lettered, the rest takes effect in order, and the spans meet', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), async bad => {
      const { bisected, delivered, letters, spans } = refusing();
      const events = bad.map((isBad, id) => ({ id, bad: isBad }));
      const receipt = await bisected.deliver(batch(events), never);
      assert.deepEqual(
        delivered,
        events.filter(event => !event.bad).map(event => event.id),
      );
      const culprits = events.filter(event => event.bad).map(event => BigInt(event.id));
      assert.deepEqual(
        letters.map(letter => letter.record.offset),
        culprits,
      );
      assert.deepEqual(receipt.deadLettered ?? new Set(), new Set(culprits));
      let position = 0n;
      for (const { from, to } of spans) {
        assert.equal(from, position);
        position = to;
      }
      assert.equal(position, BigInt(events.length));
    }),
  );
});

test('one culprit in a thousand costs about two deliveries a round', async () => {
  const { bisected, deliveries } = refusing();
  await bisected.deliver(batch(Array.from({ length: 1000 }, (_, id) => ({ id, bad: id === 617 }))), never);
  assert.ok(deliveries() <= 2 * Math.ceil(Math.log2(1000)) + 2, `${deliveries()} deliveries`);
});

test('a sink that is down, or another owner, is never answered with a dead letter', async () => {
  for (const kind of ['down', 'fenced'] as const) {
    const letters: DeadLetter[] = [];
    const sink = sinkOf(async () => {
      throw new DeliveryError(kind, 'no');
    });
    const bisected = bisecting(sink, {
      pipeline: 'p',
      deadLetters: async given => void letters.push(...given),
      clock: new InstantClock(),
    });
    await assert.rejects(bisected.deliver(batch([1, 2, 3]), never));
    assert.equal(letters.length, 0);
  }
});

test('a batch that is too slow is cut until it is fast enough, and nothing is dead-lettered', async () => {
  const sizes: number[] = [];
  let shrunk = 0;
  const sink = sinkOf<number>(async given => {
    const { length } = deliverableItems(given);
    if (length > 3) throw new DeliveryError('overloaded', 'statement timeout');
    sizes.push(length);
  });
  const bisected = bisecting(sink, {
    pipeline: 'p',
    deadLetters: async () => assert.fail('nothing is wrong with the events'),
    clock: new InstantClock(),
    onOverloaded: error => {
      assert.equal(error.kind, 'overloaded');
      shrunk += 1;
    },
  });
  await bisected.deliver(batch(Array.from({ length: 20 }, (_, id) => id)), never);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    20,
  );
  assert.ok(shrunk > 0);
});

test('pitfall 11, a dead letter that cannot be stored holds the position back', async () => {
  let positions = 0;
  const sink = sinkOf<number>(async given => {
    if (deliverableItems(given).length > 0) throw new DeliveryError('permanent', 'constraint');
    positions += 1;
  });
  const bisected = bisecting(sink, {
    pipeline: 'p',
    deadLetters: async () => {
      throw new Error('the topic is away');
    },
    clock: new InstantClock(),
  });
  await assert.rejects(bisected.deliver(batch([1]), never), /the topic is away/);
  assert.equal(positions, 0);
});
