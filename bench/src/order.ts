import { seededRandom, systemClock } from '@tidemark/kernel';
import { KeyedLane, Slots } from '@tidemark/pipeline';
import { writeResult } from './report.ts';

/**
 * How much concurrency the order by key allows on a single partition: 10,000 events whose deliveries take 0 to 5 ms each,
 * 100 at the same time, over different numbers of keys.
 *
 *     node bench/src/order.ts
 */
const events = 10_000;
const concurrency = 100;
const deliveryMsMax = 5;

async function run(keys: number): Promise<number> {
  const random = seededRandom(1);
  const slots = new Slots(concurrency);
  const { promise, resolve } = Promise.withResolvers<void>();
  const lane = new KeyedLane<string>(
    {
      partition: { topic: 'bench', partition: 0 },
      position: 0n,
      readFrom: 0n,
      decode: record => ({ record, fate: 'deliver', event: String(record.value) }),
      deliver: () => systemClock.sleep(random() * deliveryMsMax),
      turn: signal => slots.acquire(signal),
      batchItems: () => 1,
      batchBytes: 1_000_000,
      taken: () => {},
      advanced: nextOffset => {
        if (nextOffset === BigInt(events)) resolve();
      },
      failed: error => {
        throw error;
      },
    },
    { keyOf: event => event, windowItems: events },
  );
  const records = Array.from({ length: events }, (_, index) => ({
    topic: 'bench',
    partition: 0,
    offset: BigInt(index),
    timestampMs: 0,
    key: null,
    value: Buffer.from(`key-${index % keys}`),
    headers: [],
  }));
  const startedMs = performance.now();
  lane.offer({ partition: lane.partition, from: 0n, next: BigInt(events), records });
  await promise;
  const elapsedMs = performance.now() - startedMs;
  await lane.close(new AbortController().signal);
  return Math.round(elapsedMs);
}

const elapsedMsByKeys: Record<string, number> = {};
for (const keys of [1, 10, 50, 100, 1000]) elapsedMsByKeys[keys] = await run(keys);
process.stdout.write(`${JSON.stringify(elapsedMsByKeys)}\n`);
process.stdout.write(
  `${await writeResult('order', 'node bench/src/order.ts', { events, concurrency, elapsedMsByKeys })}\n`,
);
