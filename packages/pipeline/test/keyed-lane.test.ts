import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedLane, Slots } from '@tidemark/pipeline';
import * as fc from 'fast-check';
import { never, record } from './fakes.ts';
import { Chance } from './simulation/chance.ts';
import { VirtualClock } from './simulation/virtual-clock.ts';

interface Delivered {
  readonly key: string;
  readonly offset: bigint;
}

/** Runs records with these keys through a lane whose deliveries take 0 to 5 ms. */
async function run(keys: readonly string[], concurrency: number, batchItems: number, seed: number) {
  const clock = new VirtualClock();
  const chance = new Chance(seed);
  const slots = new Slots(concurrency);
  const delivered: Delivered[] = [];
  const watermarks: bigint[] = [];
  const done = new Set<bigint>();
  const lane = new KeyedLane<string>(
    {
      partition: { topic: 't', partition: 0 },
      position: 0n,
      readFrom: 0n,
      decode: given => ({ record: given, fate: 'deliver', event: given.value?.toString() ?? '' }),
      async deliver(batch) {
        await clock.sleep(chance.between(0, 5));
        for (const { record: given } of batch.items) {
          delivered.push({ key: given.value?.toString() ?? '', offset: given.offset });
          done.add(given.offset);
        }
      },
      turn: signal => slots.acquire(signal),
      batchItems: () => batchItems,
      batchBytes: 1e6,
      taken: () => {},
      advanced(nextOffset) {
        for (let offset = 0n; offset < nextOffset; offset += 1n)
          assert.ok(done.has(offset), `${offset} is not done`);
        watermarks.push(nextOffset);
      },
      failed: error => assert.fail(String(error)),
    },
    { keyOf: event => event, windowItems: 100 },
  );
  const records = keys.map((key, index) => record(BigInt(index), key));
  lane.offer({ partition: lane.partition, from: 0n, next: BigInt(records.length), records });
  await clock.run(() => lane.position === BigInt(records.length), 1e9);
  await lane.close(never);
  return { delivered, watermarks, elapsedMs: clock.monotonic() };
}

test('every record is delivered once, each key in log order, and the watermark never passes unfinished work', async () => {
  const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 150 });
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      async (given, concurrency, items, seed) => {
        const { delivered } = await run(given, concurrency, items, seed);
        assert.equal(new Set(delivered.map(({ offset }) => offset)).size, given.length);
        assert.equal(delivered.length, given.length);
        const newest = new Map<string, bigint>();
        for (const { key, offset } of delivered) {
          assert.ok(offset > (newest.get(key) ?? -1n), `${key} out of order`);
          newest.set(key, offset);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('different keys are delivered at the same time', async () => {
  const keys = Array.from({ length: 400 }, (_, index) => `key-${index % 50}`);
  const one = await run(keys, 1, 1, 1);
  const many = await run(keys, 50, 1, 1);
  assert.ok(many.elapsedMs * 10 < one.elapsedMs, `${many.elapsedMs} ms against ${one.elapsedMs} ms`);
});
