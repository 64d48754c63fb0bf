import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { booksOf, booksOfAll } from '../../src/web/features/overview/books.ts';
import { particleCount, travelSeconds } from '../../src/web/features/overview/flow-motion.ts';
import { createSampleStore } from '../../src/web/features/overview/samples.ts';
import { sparklinePath } from '../../src/web/features/overview/sparkline-path.ts';
import { isSlow, type PendingReview, settle } from '../../src/web/features/reviews/pending-reviews.ts';
import { sampleOverview, samplePipelines } from '../mock-api/sample-stack.ts';

describe('the books', () => {
  const pipelines = samplePipelines('well', 0, 1);

  test('of a pipeline are those of its partitions together', () => {
    const [first] = pipelines;
    assert.ok(first);
    const books = booksOf(first);
    assert.equal(
      books.read,
      first.partitions.reduce((sum, partition) => sum + partition.ledger.read, 0),
    );
    assert.equal(
      books.read,
      books.delivered + books.duplicate + books.filtered + books.deadLettered + books.inFlight,
    );
  });

  test('of all balance when each balances', () => {
    const books = booksOfAll(pipelines);
    assert.equal(books.inFlight, 0);
    assert.equal(books.read, books.delivered + books.duplicate + books.filtered + books.deadLettered);
    assert.equal(booksOfAll([]).read, 0);
  });
});

describe('the samples', () => {
  test('are bounded, told to listeners, and the same until one is added', () => {
    const store = createSampleStore(3);
    let told = 0;
    const stop = store.subscribe(() => (told += 1));
    for (const atMs of [1000, 2000, 3000, 4000]) store.add(sampleOverview('well', atMs, 1));
    assert.deepEqual(
      store.all().map(sample => sample.atSec),
      [2, 3, 4],
    );
    assert.equal(told, 4);
    const before = store.all();
    store.add(sampleOverview('well', 4000, 1));
    assert.equal(store.all(), before, 'an answer from a cache is no new sample');
    stop();
    store.add(sampleOverview('well', 5000, 1));
    assert.equal(told, 4);
  });
});

describe('pictures', () => {
  test('a sparkline leaves gaps where nothing is known and stays inside its box', () => {
    const box = { width: 90, height: 20, span: 10 };
    const { stroke } = sparklinePath([1, 2, null, 4, 8], box);
    assert.equal(stroke.match(/M/g)?.length, 2);
    for (const [, y] of stroke.matchAll(/[ML]\S+ (\S+?)(?=[ML]|$)/g)) {
      assert.ok(Number(y) >= 0 && Number(y) <= box.height, `y ${y}`);
    }
    assert.deepEqual(sparklinePath([], box), { stroke: '', area: '' });
    assert.deepEqual(sparklinePath([5], box), { stroke: '', area: '' });
  });

  test('more flow is denser and faster, and none stands still', () => {
    assert.equal(particleCount(0), 0);
    assert.equal(particleCount(null), 0);
    assert.ok(particleCount(5) < particleCount(5000));
    assert.ok(particleCount(1e9) <= 4);
    assert.ok(travelSeconds(5) > travelSeconds(5000));
    assert.ok(travelSeconds(1e9) > 0);
  });
});

describe('a review on its way', () => {
  const pending: PendingReview = {
    accepted: { eventId: 'e', reviewId: 'r-1', key: 'user:1' },
    rating: 4,
    text: '',
    acceptedAtMs: 1000,
  };
  const processed = { reviewId: 'r-1', userKey: 'user:1', rating: 4, text: '', createdAt: '' };

  test('is settled once, when the list has it', () => {
    const waiting = [pending];
    assert.equal(settle(waiting, [], 2000), waiting, 'nothing new, nothing redrawn');
    const settled = settle(waiting, [processed], 2000);
    assert.equal(settled[0]?.processedAtMs, 2000);
    assert.equal(settle(settled, [processed], 9000), settled);
  });

  test('is slow only while it is on its way', () => {
    assert.equal(isSlow(pending, 2000), false);
    assert.equal(isSlow(pending, 60_000), true);
    assert.equal(isSlow({ ...pending, processedAtMs: 1500 }, 60_000), false);
  });
});
