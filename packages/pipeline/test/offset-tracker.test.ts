import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OffsetTracker } from '@tidemark/pipeline';
import * as fc from 'fast-check';

test('pitfall 3, out-of-order completion: the watermark is the first unfinished offset, in whatever order the rest ends', () => {
  const steps = fc.uniqueArray(fc.bigInt({ min: 0n, max: 500n }), { maxLength: 80 });
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat()), (offsets, choices) => {
      const begun = offsets.toSorted((a, b) => Number(a - b));
      const tracker = new OffsetTracker(0n);
      for (const offset of begun) tracker.begin(offset);
      const open = [...begun];
      const done = new Set<bigint>();
      while (open.length > 0) {
        const [offset = 0n] = open.splice((choices.next().value ?? 0) % open.length, 1);
        done.add(offset);
        const watermark = tracker.complete(offset);
        const firstOpen = begun.findIndex(one => !done.has(one));
        const expected =
          firstOpen === 0 ? 0n : (begun[(firstOpen === -1 ? begun.length : firstOpen) - 1] ?? 0n) + 1n;
        assert.equal(watermark, expected);
        assert.equal(tracker.pending, firstOpen === -1 ? 0 : begun.length - firstOpen);
      }
    }),
  );
});

test('an offset that comes before the last one is refused', () => {
  const tracker = new OffsetTracker(5n);
  tracker.begin(7n);
  assert.throws(() => tracker.begin(6n), RangeError);
  assert.throws(() => new OffsetTracker(5n).begin(4n), RangeError);
});
