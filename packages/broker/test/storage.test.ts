import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import * as fc from 'fast-check';
import type { Disk } from '../src/storage/disk.ts';
import { FilePool } from '../src/storage/file-pool.ts';
import { emptyLog, recoverLog } from '../src/storage/log-recovery.ts';
import type { LogEnvironment } from '../src/storage/partition-log.ts';
import { batchSizeAt, readBatchHeader, stampBatch } from '../src/storage/record-batch.ts';
import { offsetFileName } from '../src/storage/segment.ts';
import { TailCacheBudget } from '../src/storage/tail-cache.ts';
import { Partition } from '../src/topics/partition.ts';
import { topicSettings } from '../src/topics/topic-config.ts';
import { keepUp } from '../src/topics/upkeep.ts';
import { batchOf } from './batches.ts';
import { crashingDisk } from './crashing-disk.ts';

const settings = topicSettings(new Map([['segment.bytes', '2000']]), {});
const append = { nowMs: 5000, settings, inTransaction: () => true, zstdAllowed: true };

function environment(disk: Disk, cacheBytes: number): LogEnvironment {
  return {
    files: new FilePool(disk, 4),
    cache: new TailCacheBudget(cacheBytes),
    fsync: 'group',
    markDirty() {},
    warn(message) {
      throw new Error(message);
    },
  };
}

const texts = fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 5 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), values: texts }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('roll' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), seed: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  ),
  { maxLength: 40 },
);

/** Reads the whole log through many small fetches and returns offset → size of each batch seen. */
async function readAll(partition: Partition, bytesMax: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  let offset = partition.log.logStartOffset;
  while (offset < partition.log.highWatermark) {
    const wanted = { offset, bound: partition.log.highWatermark, bytesMax, atLeastOne: true };
    const { buffers, nextOffset } = await partition.log.read(wanted);
    assert.ok(buffers.length > 0, `nothing at offset ${offset} below the high watermark`);
    const bytes = Buffer.concat(buffers);
    let last = offset - 1;
    for (let at = 0; at < bytes.length; at += batchSizeAt(bytes, at)) {
      const header = readBatchHeader(bytes, at);
      assert.ok(header.lastOffset >= offset, 'a batch below what was asked for');
      assert.ok(at === 0 || at + header.size <= bytesMax, 'more than was asked for');
      found.set(header.baseOffset, header.recordCount);
      last = header.lastOffset;
    }
    assert.equal(nextOffset, last + 1);
    offset = nextOffset;
  }
  return found;
}

describe('a partition on disk', () => {
  test('gives back every acknowledged batch at its offset, through rolls, stops and power failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom(0, 1500, 1e6),
        async (plan, bytesMax, cache) => {
          const disk = crashingDisk();
          let env = environment(disk, cache);
          let partition = new Partition(env, 0, emptyLog(env, '/p/0'));
          const model = new Map<number, number>();
          const reopen = async (clean: boolean) => {
            env = environment(disk, cache);
            partition = new Partition(env, 0, await recoverLog(env, '/p/0', clean));
          };
          for (const step of plan) {
            if (step.do === 'append') {
              const records = step.values.map(value => ({ value }));
              const appended = await partition.append(batchOf({ records }), append);
              await appended.written;
              model.set(appended.baseOffset, records.length);
            } else if (step.do === 'roll') await partition.roll();
            else if (step.do === 'stop') {
              await partition.close();
              await reopen(true);
            } else {
              await partition.log.drained();
              await disk.crash(seededRandom(step.seed));
              await reopen(false);
            }
            assert.deepEqual(await readAll(partition, bytesMax), model);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('recognises a repeated batch after a crash, refuses gaps and fences old epochs', async () => {
    const disk = crashingDisk();
    const env = environment(disk, 0);
    const first = new Partition(env, 0, emptyLog(env, '/p/0'));
    const send = async (partition: Partition, baseSequence: number, producerEpoch = 0) => {
      const records = [{ value: 'a' }, { value: 'b' }];
      const appended = await partition.append(
        batchOf({ records, producerId: 7, producerEpoch, baseSequence }),
        append,
      );
      await appended.written;
      return appended.baseOffset;
    };
    assert.equal(await send(first, 0), 0);
    assert.equal(await send(first, 2), 2);
    assert.equal(await send(first, 2), 2, 'the same batch again is answered with its first place');
    await disk.crash(() => 0);
    const second = new Partition(env, 0, await recoverLog(environment(disk, 0), '/p/0', false));
    assert.equal(await send(second, 2), 2, 'also by the next broker');
    await assert.rejects(send(second, 6), { errorCode: 45 });
    assert.equal(await send(second, 0, 1), 4);
    await assert.rejects(send(second, 4, 0), { errorCode: 47 });
    assert.equal(second.log.nextOffset, 6);
  });

  test('refuses what is no batch, more than one batch, and a wrong checksum', async () => {
    const env = environment(crashingDisk(), 0);
    const partition = new Partition(env, 0, emptyLog(env, '/p/0'));
    const good = batchOf({ records: [{ value: 'a' }] });
    const refused = async (batch: Buffer, errorCode: number) =>
      assert.rejects(async () => partition.append(batch, append), { errorCode });
    await refused(Buffer.alloc(10), 2);
    await refused(Buffer.concat([good, good]), 87);
    const flipped = Buffer.from(good);
    flipped[flipped.length - 2] = (flipped.at(-2) ?? 0) ^ 1;
    await refused(flipped, 2);
    await refused(batchOf({ records: [{ value: 'x'.repeat(1_100_000) }] }), 10);
    assert.equal(partition.log.nextOffset, 0);
  });
});

describe('recovery', () => {
  const folder = '/p/0';
  const appendTo = async (partition: Partition, batch: Buffer) =>
    (await partition.append(batch, append)).written;

  test('cuts off a batch whose offset does not follow, although its checksum is right', async () => {
    const disk = crashingDisk();
    const env = environment(disk, 0);
    const partition = new Partition(env, 0, emptyLog(env, folder));
    const batch = batchOf({ records: [{ value: 'a' }] });
    for (const copy of [Buffer.from(batch), Buffer.from(batch)]) await appendTo(partition, copy);
    const file = await disk.open(`${folder}/${offsetFileName(0, 'log')}`);
    stampBatch(batch, 2 ** 40, 0);
    await file.write([batch], await file.size());
    const { log, truncations } = await recoverLog(environment(disk, 0), folder, false);
    assert.equal(log.nextOffset, 2);
    assert.deepEqual(
      truncations.map(({ offset, bytes }) => [offset, bytes]),
      [[2, batch.length]],
    );
  });

  test('keeps the gaps that compaction left, also in a segment that became the last one', async () => {
    const disk = crashingDisk();
    const env = environment(disk, 0);
    const partition = new Partition(env, 0, emptyLog(env, folder));
    for (const key of ['a', 'b', 'a', 'c']) {
      await appendTo(partition, batchOf({ records: [{ key, value: key }] }));
      if (key === 'a' && partition.log.nextOffset > 1) await partition.roll();
    }
    const compacting = topicSettings(new Map([['cleanup.policy', 'compact']]), {});
    const topic = { name: 't', id: '', overrides: new Map(), settings: compacting, partitions: [partition] };
    await keepUp(env, topic, 5000);
    assert.deepEqual([...(await readAll(partition, 1000)).keys()], [1, 2, 3]);
    await disk.remove(`${folder}/${offsetFileName(3, 'log')}`);
    const { log, truncations } = await recoverLog(environment(disk, 0), folder, false);
    assert.deepEqual(truncations, []);
    assert.equal(log.nextOffset, 3);
  });
});

describe('a disk that refuses', () => {
  test('loses no offset and no later batch, and undoes what producers had sent', async () => {
    const disk = crashingDisk();
    let full = false;
    const failing: Disk = {
      ...disk,
      async open(path) {
        const file = await disk.open(path);
        const write = async (buffers: readonly Buffer[], position: number) => {
          if (!full) return file.write(buffers, position);
          await file.write([Buffer.concat(buffers).subarray(0, 40)], position); // a part of it still fits
          throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        };
        return { ...bound(file), write };
      },
    };
    const env = environment(failing, 0);
    const partition = new Partition(env, 0, emptyLog(env, '/p/0'));
    const send = async (baseSequence: number) => {
      const batch = batchOf({
        records: [{ value: `${baseSequence}` }],
        producerId: 1,
        producerEpoch: 0,
        baseSequence,
      });
      const appended = await partition.append(batch, append);
      await appended.written;
      return appended.baseOffset;
    };
    assert.equal(await send(0), 0);
    full = true;
    const again = send(1); // the same batch once more, while the first copy is on its way
    const outcomes = await Promise.allSettled([again, send(1), send(2), send(3)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected', 'rejected'],
    );
    full = false;
    assert.equal(await send(1), 1, 'the same sequence is taken once there is room');
    assert.equal(await send(2), 2);
    assert.deepEqual([...(await readAll(partition, 1000)).keys()], [0, 1, 2]);
  });
});

function bound(file: Awaited<ReturnType<Disk['open']>>) {
  return {
    read: file.read.bind(file),
    size: file.size.bind(file),
    truncate: file.truncate.bind(file),
    sync: file.sync.bind(file),
    close: file.close.bind(file),
  };
}
