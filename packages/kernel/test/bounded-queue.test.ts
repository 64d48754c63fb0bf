import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BoundedQueue } from '../src/index.ts';

const bytesOf = (item: { readonly bytes: number }) => item.bytes;
const roomy = { maxItems: 100, maxBytes: 100 };

async function drain<T>(queue: BoundedQueue<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

/** Lets everything that is ready run, however long its chain of promises. */
const settle = () => new Promise<void>(resolve => setImmediate(resolve));

describe('bounded queue', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 80 });
  const someSizes = sizes.filter(all => all.length > 0);
  const bounds = fc.record({
    maxItems: fc.integer({ min: 1, max: 5 }),
    maxBytes: fc.integer({ min: 1, max: 20 }),
  });

  test('hands everything on in the order of the pushes and never holds more than its bounds', async () => {
    const pace = fc.array(fc.boolean(), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(bounds, sizes, pace, async (limits, all, slowTurns) => {
        const queue = new BoundedQueue<{ id: number; bytes: number }>(limits, bytesOf);
        const pushed = Promise.all(all.map((bytes, id) => queue.push({ id, bytes })));
        void pushed.then(() => queue.close());
        const received: number[] = [];
        for await (const { id } of queue) {
          received.push(id);
          if (slowTurns[id] === true) await settle();
          assert.ok(queue.length <= limits.maxItems);
          assert.ok(queue.bytes <= limits.maxBytes || queue.length === 1);
        }
        assert.deepEqual(received, [...all.keys()]);
        assert.ok((await pushed).every(Boolean));
        assert.equal(queue.bytes, 0);
      }),
    );
  });

  test('a close loses nothing that was accepted, and tells which pushes were not', async () => {
    await fc.assert(
      fc.asyncProperty(bounds, someSizes, fc.nat(20), async (limits, all, taken) => {
        const queue = new BoundedQueue<{ id: number; bytes: number }>(limits, bytesOf);
        const pushes = all.map((bytes, id) => queue.push({ id, bytes }));
        const received: number[] = [];
        for await (const { id } of queue) {
          if (received.push(id) > taken || id === all.length - 1) queue.close();
        }
        const accepted = (await Promise.all(pushes)).flatMap((queued, id) => (queued ? [id] : []));
        assert.deepEqual(received, accepted);
        assert.equal(await queue.push({ id: -1, bytes: 0 }), false);
      }),
    );
  });

  test('a push waits while the queue is full and goes on when there is room', async () => {
    const queue = new BoundedQueue({ maxItems: 1, maxBytes: 100 }, bytesOf);
    await queue.push({ bytes: 1 });
    let queued = false;
    const second = queue.push({ bytes: 2 }).then(() => (queued = true));
    await settle();
    assert.deepEqual([queued, queue.length, queue.bytes], [false, 1, 1]);
    await queue[Symbol.asyncIterator]().next();
    await second;
    assert.deepEqual([queue.length, queue.bytes], [1, 2]);
  });

  test('an item larger than the whole queue passes alone', async () => {
    const queue = new BoundedQueue({ maxItems: 10, maxBytes: 10 }, bytesOf);
    await queue.push({ bytes: 5 });
    let large = false;
    void queue.push({ bytes: 50 }).then(() => (large = true));
    await settle();
    assert.equal(large, false);
    const items = queue[Symbol.asyncIterator]();
    await items.next();
    await settle();
    assert.deepEqual([large, queue.bytes], [true, 50]);
  });

  test('counts an item as it was when it was pushed', async () => {
    const queue = new BoundedQueue<{ bytes: number }>(roomy, bytesOf);
    const item = { bytes: 7 };
    await queue.push(item);
    item.bytes = 70;
    await queue[Symbol.asyncIterator]().next();
    assert.equal(queue.bytes, 0);
  });

  test('a consumer that waits is woken by an item, by the end and by a failure', async () => {
    const queue = new BoundedQueue<{ bytes: number }>(roomy, bytesOf);
    const item = { bytes: 1 };
    const items = queue[Symbol.asyncIterator]();
    const waits = items.next();
    await queue.push(item);
    assert.equal((await waits).value, item);
    const last = items.next();
    queue.close();
    assert.equal((await last).done, true);

    const failing = new BoundedQueue<{ bytes: number }>(roomy, bytesOf);
    const interrupted = drain(failing);
    failing.fail(new Error('broken'));
    await assert.rejects(interrupted, /broken/);
  });

  test('a failure reaches both sides and drops what is queued', async () => {
    const queue = new BoundedQueue({ maxItems: 1, maxBytes: 100 }, bytesOf);
    await queue.push({ bytes: 1 });
    const waiting = assert.rejects(queue.push({ bytes: 1 }), /first/);
    queue.fail(new Error('first'));
    queue.fail(new Error('second'));
    await waiting;
    await assert.rejects(queue.push({ bytes: 1 }), /first/);
    await assert.rejects(drain(queue), /first/);
    assert.deepEqual([queue.length, queue.bytes], [0, 0]);
  });

  test('holds nothing of what was taken', async () => {
    const queue = new BoundedQueue<{ bytes: number }>(roomy, bytesOf);
    const items = queue[Symbol.asyncIterator]();
    const reference = await (async () => {
      const item = { bytes: 1 };
      await queue.push(item);
      await items.next();
      return new WeakRef(item);
    })();
    // The iteration itself holds the item that it handed out last.
    await queue.push({ bytes: 1 });
    await items.next();
    await settle(); // a WeakRef keeps its object until the end of the job that made it
    await collectGarbage();
    assert.equal(reference.deref(), undefined);
  });
});

async function collectGarbage(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
