import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Change } from '@tidemark/contracts';
import * as fc from 'fast-check';
import {
  appendOlder,
  arrive,
  emptyFeed,
  type Feed,
  feedMax,
  newestId,
  release,
  startFeed,
} from '../../src/web/features/changes/feed.ts';

const change = (id: number) => ({ id: String(id) }) as Change;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => change(from + index));
const ids = (changes: readonly Change[]) => changes.map(each => Number(each.id));
const page = (from: number, to: number, nextCursor: string | null = null) => ({
  items: range(from, to).toReversed(),
  nextCursor,
});

describe('the live list', () => {
  test('puts new changes on top, newest first', () => {
    const feed = arrive(startFeed(page(1, 3)), range(4, 5), false);
    assert.deepEqual(ids(feed.items), [5, 4, 3, 2, 1]);
    assert.equal(newestId(feed), '5');
  });

  test('holds them back while the reader reads, and says how many', () => {
    const held = arrive(arrive(startFeed(page(1, 2)), range(3, 4), true), range(5, 5), true);
    assert.deepEqual(ids(held.items), [2, 1]);
    assert.equal(held.heldCount, 3);
    assert.equal(newestId(held), '5', 'a reconnect goes on after what is held');
    assert.deepEqual(ids(release(held).items), [5, 4, 3, 2, 1]);
  });

  test('stays bounded, and then says that the tail was cut', () => {
    const feed = arrive(startFeed(page(1, 100, 'c')), range(101, 100 + feedMax), false);
    assert.equal(feed.items.length, feedMax);
    assert.equal(feed.cut, true);
    assert.equal(feed.nextCursor, null, 'the cursor would leave a gap');
  });

  test('starts over when more was held than is kept, rather than showing a gap', () => {
    const feed = release(arrive(startFeed(page(1, 10)), range(11, 11 + feedMax + 5), true));
    assert.equal(feed.items.length, feedMax);
    assert.equal(ids(feed.items).at(-1), 11 + 5 + 1);
  });

  test('reads further back without repeating the edge', () => {
    const feed = appendOlder(startFeed(page(51, 60, 'c')), {
      items: range(41, 51).toReversed(),
      nextCursor: null,
    });
    assert.deepEqual(ids(feed.items), ids(range(41, 60)).toReversed());
  });

  test('an empty list follows from the beginning', () => {
    assert.equal(newestId(emptyFeed), '0');
  });

  test('is strictly descending and complete whatever is repeated or held', () => {
    const step = fc.record({ count: fc.nat(20), overlap: fc.nat(5), hold: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        let last = 10;
        let feed: Feed = startFeed(page(1, 10));
        for (const { count, overlap, hold } of steps) {
          feed = arrive(feed, range(Math.max(1, last - overlap), last + count), hold);
          last += count;
        }
        const shown = ids(release(feed).items);
        assert.deepEqual(shown, ids(range(1, last)).toReversed());
      }),
    );
  });
});
