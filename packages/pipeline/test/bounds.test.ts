import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { deferred, systemClock } from '@tidemark/kernel';
import {
  type AssignmentListener,
  type OrderUnit,
  Pipeline,
  type RecordBatch,
  type Source,
  type TopicPartition,
} from '@tidemark/pipeline';
import { record, sinkOf } from './fakes.ts';

const mib = 2 ** 20;
const backlog = 1024;
const partition = { topic: 't', partition: 0 };

/** A backlog of records of one mebibyte, made when they are read; a paused partition is not read. */
class LargeBacklog implements Source {
  #paused = false;
  #stopped = false;
  #wake = deferred();

  async *read(listener: AssignmentListener): AsyncGenerator<RecordBatch> {
    await listener.assigned([{ ...partition, nextOffset: 0n }], new AbortController().signal);
    for (let from = 0n; !this.#stopped; ) {
      this.#wake = deferred();
      if (this.#paused || from === BigInt(backlog)) {
        await this.#wake.promise;
        continue;
      }
      const one = { ...record(from), key: Buffer.from(`k${from % 7n}`), value: Buffer.allocUnsafe(mib) };
      yield { partition, from, next: from + 1n, records: [one] };
      from += 1n;
    }
    await listener.revoked([partition], AbortSignal.timeout(5000));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(_partition: TopicPartition): void {
    this.#paused = false;
    this.#wake.resolve();
  }

  seek(): void {}

  async commit(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake.resolve();
  }
}

for (const order of ['partition', 'key', 'none'] satisfies OrderUnit<number>[]) {
  test(`a gibibyte of large messages passes through bounded memory, order ${order}`, async () => {
    const done = deferred();
    const queueBytes = 32 * mib;
    let delivered = 0;
    let largestBatch = 0;
    let heldMax = 0;
    const pipeline = new Pipeline<number>({
      name: 'large',
      source: new LargeBacklog(),
      decode: given => ({ fate: 'deliver', event: Number(given.offset) }),
      sink: sinkOf(async ({ items }) => {
        await turn();
        heldMax = Math.max(heldMax, pipeline.status().queuedBytes);
        largestBatch = Math.max(largestBatch, items.length);
        delivered += items.length;
        if (delivered === backlog) done.resolve();
      }),
      deadLetters: async () => assert.fail('nothing is wrong'),
      probe: async () => {},
      order,
      bounds: { queueBytes, batchBytes: 4 * mib },
      clock: systemClock,
      random: Math.random,
    });
    void pipeline.run();
    await done.promise;
    await pipeline.stop(AbortSignal.timeout(5000));
    assert.ok(heldMax > queueBytes / 2, `the bound was never reached: ${heldMax} bytes`);
    assert.ok(heldMax <= queueBytes + 2 * mib, `${heldMax} bytes held`);
    assert.ok(largestBatch <= 4, `${largestBatch} records of a mebibyte in one delivery`);
  });
}
