import assert from 'node:assert/strict';
import { deferred, seededRandom, systemClock } from '@tidemark/kernel';
import {
  type AssignmentListener,
  type Batch,
  deliverableItems,
  everythingNew,
  Pipeline,
  type RecordBatch,
  type Sink,
  type Source,
} from '@tidemark/pipeline';
import { spread, writeResult } from './report.ts';

/**
 * How much concurrency the order by key allows on a single partition: 10,000 events whose deliveries take 0 to 5 ms each,
 * 100 at the same time, over different numbers of keys, through a whole pipeline; beside it the textbook's consumer,
 * which takes one event after the other. Every run checks that no key was overtaken.
 *
 *     node bench/src/order.ts
 */
const events = 10_000;
const concurrency = 100;
const deliveryMsMax = 5;
const runs = 3;

type Deliver = (offset: bigint) => Promise<void>;

/** Deliveries that take a while, and the proof that each key's came one after the other in log order. */
class Deliveries {
  readonly #random = seededRandom(1);
  readonly #keys: number;
  readonly #running = new Set<number>();
  readonly #last = new Map<number, bigint>();
  readonly done = deferred();
  count = 0;

  constructor(keys: number) {
    this.#keys = keys;
  }

  readonly deliver: Deliver = async offset => {
    const key = this.keyOf(offset);
    assert.ok(!this.#running.has(key) && offset > (this.#last.get(key) ?? -1n), `key ${key} was overtaken`);
    this.#running.add(key);
    this.#last.set(key, offset);
    await systemClock.sleep(this.#random() * deliveryMsMax);
    this.#running.delete(key);
    this.count += 1;
    if (this.count === events) this.done.resolve();
  };

  keyOf(offset: bigint): number {
    return Number(offset) % this.#keys;
  }
}

async function measure(keys: number, work: (deliveries: Deliveries) => Promise<void>): Promise<number> {
  const deliveries = new Deliveries(keys);
  const startedMs = performance.now();
  await work(deliveries);
  return Math.round(performance.now() - startedMs);
}

async function oneAfterTheOther({ deliver }: Deliveries): Promise<void> {
  for (let offset = 0n; offset < BigInt(events); offset += 1n) await deliver(offset);
}

async function throughPipeline(deliveries: Deliveries): Promise<void> {
  const pipeline = new Pipeline<bigint>({
    name: 'bench',
    source: new LoadedPartition(),
    decode: record => ({ fate: 'deliver', event: record.offset }),
    sink: sinkOf(deliveries.deliver),
    deadLetters: async () => assert.fail('nothing is wrong with any event'),
    probe: async () => {},
    order: { key: offset => String(deliveries.keyOf(offset)) },
    bounds: { concurrency, batchItems: 1, queueItems: events },
    clock: systemClock,
    random: Math.random,
  });
  void pipeline.run();
  await deliveries.done.promise;
  await pipeline.stop(AbortSignal.timeout(5000));
  assert.equal(deliveries.count, events);
  assert.equal(pipeline.status().unaccounted, 0);
}

function sinkOf(deliver: Deliver): Sink<bigint> {
  return {
    open: async position => position.nextOffset,
    async deliver(batch: Batch<bigint>) {
      for (const { event } of deliverableItems(batch)) await deliver(event);
      return everythingNew;
    },
    close: async () => {},
  };
}

/** A partition that has been read already. */
class LoadedPartition implements Source {
  readonly #stopped = deferred();
  readonly #partition = { topic: 'bench', partition: 0 };

  async *read(listener: AssignmentListener): AsyncGenerator<RecordBatch, void, undefined> {
    await listener.assigned([{ ...this.#partition, nextOffset: 0n }], new AbortController().signal);
    const records = Array.from({ length: events }, (_, index) => ({
      ...this.#partition,
      offset: BigInt(index),
      timestampMs: 0,
      key: null,
      value: null,
      headers: [],
    }));
    yield { partition: this.#partition, from: 0n, next: BigInt(events), records };
    await this.#stopped.promise;
  }

  pause(): void {}
  resume(): void {}
  seek(): void {}
  async commit(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopped.resolve();
  }
}

const textbookMs = await measure(1, oneAfterTheOther);
const elapsedMsByKeys: Record<string, object> = {};
for (const keys of [1, 10, 50, 100, 1000]) {
  const elapsed: number[] = [];
  const repeats = keys === 1 ? 1 : runs; // one key is the textbook's case: 25 s, whatever the engine does
  for (let run = 0; run < repeats; run += 1) elapsed.push(await measure(keys, throughPipeline));
  elapsedMsByKeys[keys] = spread(elapsed);
}
const result = { events, concurrency, deliveryMsMax, textbookMs, elapsedMsByKeys };
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.stdout.write(`${await writeResult('order', 'node bench/src/order.ts', result)}\n`);
