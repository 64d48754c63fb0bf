import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deferred } from '@tidemark/kernel';
import {
  type Batch,
  Committer,
  KeyedLane,
  type LaneWork,
  PartitionLane,
  type Position,
  Slots,
  staged,
} from '@tidemark/pipeline';
import { InstantClock, never, record } from './fakes.ts';

const partition = { topic: 't', partition: 0 };

/** The pipeline's side of a lane, whose deliveries do what the test says. */
function workOf(deliver: (batch: Batch<string>, signal: AbortSignal) => Promise<void>) {
  const slots = new Slots(10);
  const advanced: bigint[] = [];
  const work: LaneWork<string> = {
    partition,
    position: 0n,
    readFrom: 0n,
    decode: given => ({ record: given, fate: 'deliver', event: String(given.value) }),
    deliver,
    turn: signal => slots.acquire(signal),
    batchItems: () => 1,
    batchBytes: 1e6,
    taken: () => {},
    advanced: nextOffset => void advanced.push(nextOffset),
    failed: error => assert.fail(String(error)),
  };
  return { work, advanced };
}

const read = (values: readonly string[]) => ({
  partition,
  from: 0n,
  next: BigInt(values.length),
  records: values.map((value, index) => record(BigInt(index), value)),
});

test('pitfall 5, what is acknowledged late, after the partition is lost, is not committed over its new owner’s', async () => {
  const committed: Position[] = [];
  const committer = new Committer({
    commit: async positions => void committed.push(...positions),
    clock: new InstantClock(),
    intervalMs: 1,
  });
  committer.own(partition);
  committer.advance(partition, 5n);
  await committer.flush([partition]);
  committer.forget(partition);
  committer.advance(partition, 9n);
  await committer.flush([partition]);
  assert.deepEqual(
    committed.map(({ nextOffset }) => nextOffset),
    [5n],
  );
});

test('pitfall 6, a revoke waits for what is in flight, and at the deadline abandons it whole', async () => {
  const started = deferred();
  const sinkAnswers = deferred();
  const { work, advanced } = workOf(async () => {
    started.resolve();
    await sinkAnswers.promise;
  });
  const lane = new PartitionLane(work);
  lane.offer(read(['a', 'b']));
  await started.promise;
  let closed = false;
  const closing = lane.close(never).then(() => {
    closed = true;
  });
  await Promise.resolve();
  assert.equal(closed, false);
  sinkAnswers.resolve();
  await closing;
  assert.deepEqual(advanced, [1n], 'the first is done, the second was not begun');

  const begun = deferred();
  const abandoned = workOf(async (_batch, signal) => {
    begun.resolve();
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  });
  const slow = new PartitionLane(abandoned.work);
  slow.offer(read(['a']));
  await begun.promise;
  await slow.close(AbortSignal.abort(new Error('deadline')));
  assert.deepEqual(abandoned.advanced, []);
});

test('pitfall 8, an event that is not done holds the position back however many after it are', async () => {
  const others = deferred();
  const first = deferred();
  let done = 0;
  const { work, advanced } = workOf(async ({ items }) => {
    if (items[0]?.record.offset === 0n) await first.promise;
    else if (++done === 3) others.resolve();
  });
  const lane = new KeyedLane<string>(work, { keyOf: event => event, windowItems: 10 });
  lane.offer(read(['a', 'b', 'c', 'd']));
  await others.promise;
  assert.equal(lane.position, 0n);
  assert.deepEqual(advanced, []);
  first.resolve();
  await lane.finish();
  assert.equal(lane.position, 4n);
});

test('bytes in flight count for the bound, not only those that wait', async () => {
  const started = deferred();
  const sinkAnswers = deferred();
  const { work } = workOf(async () => {
    started.resolve();
    await sinkAnswers.promise;
  });
  for (const lane of [
    new PartitionLane(work),
    new KeyedLane<string>(work, { keyOf: () => 'k', windowItems: 9 }),
  ]) {
    const before = lane.queuedBytes;
    lane.offer(read(['x'.repeat(10_000)]));
    await started.promise;
    assert.ok(lane.queuedBytes - before > 10_000);
    sinkAnswers.resolve();
    await lane.finish();
    assert.equal(lane.queuedBytes, 0);
  }
});

test('between codec and sink an event is validated, filtered and changed, in this order', () => {
  const decide = staged<number, string>(given => ({ fate: 'deliver', event: String(given.value) }), {
    validate: text => (text === 'bad' ? 'is bad' : undefined),
    filter: text => text !== 'skip',
    transform: text => {
      if (text === 'odd') throw new Error('cannot be changed');
      return Number(text);
    },
  });
  assert.deepEqual(decide(record(0n, '7')), { fate: 'deliver', event: 7 });
  assert.deepEqual(decide(record(0n, 'skip')), { fate: 'filtered' });
  assert.deepEqual(decide(record(0n, 'bad')), {
    fate: 'rejected',
    reason: 'business_rule',
    message: 'is bad',
  });
  assert.deepEqual(decide(record(0n, 'odd')), {
    fate: 'rejected',
    reason: 'invalid',
    message: 'cannot be changed',
  });
});
