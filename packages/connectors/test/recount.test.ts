import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agrees, nothingSeen, type Recount } from '@tidemark/connectors';
import type { LedgerCounts } from '@tidemark/pipeline';
import * as fc from 'fast-check';

type Fate = 'delivered' | 'duplicate' | 'filtered' | 'deadLettered';
const fates = ['delivered', 'duplicate', 'filtered', 'deadLettered'] as const;

/** A record as it was booked, and what can still be seen of it. */
interface Past {
  readonly fate: Fate;
  /** Taken by retention or compaction. */
  readonly gone: boolean;
  /** An effect and a dead letter both lie there. */
  readonly both: boolean;
  /** The id of its effect was forgotten, and the effect was removed. */
  readonly expired: boolean;
}

const past = fc.record({
  fate: fc.constantFrom(...fates),
  gone: fc.boolean(),
  both: fc.boolean(),
  expired: fc.boolean(),
});
const markers = fc.nat({ max: 5 });

function booked(records: readonly Past[]): LedgerCounts {
  const count = (fate: Fate) => records.filter(record => record.fate === fate).length;
  const [delivered, duplicate, filtered, deadLettered] = fates.map(count);
  return {
    read: records.length,
    delivered: delivered ?? 0,
    duplicate: duplicate ?? 0,
    filtered: filtered ?? 0,
    deadLettered: deadLettered ?? 0,
  };
}

function recounted(records: readonly Past[], markersOfTransactions: number): Recount {
  const counts = { ...nothingSeen, gone: markersOfTransactions };
  for (const { fate, gone, both, expired } of records) {
    if (gone) {
      counts.gone += 1;
      continue;
    }
    counts.seen += 1;
    if (fate === 'filtered') counts.filtered += 1;
    else if (both) counts.either += 1;
    else if (fate === 'deadLettered') counts.deadLettered += 1;
    else if (expired) counts.expired += 1;
    else counts.delivered += 1;
  }
  return counts;
}

test('true books agree with whatever retention, compaction, forgetting and crashes have left of the proof', () => {
  fc.assert(
    fc.property(fc.array(past), markers, (records, more) => {
      assert.ok(agrees(booked(records), recounted(records, more)));
    }),
  );
});

test('where everything is still there a single record that is booked wrongly, or not, or twice, is found', () => {
  const whole = past.map(record => ({ ...record, gone: false, both: false, expired: false }));
  fc.assert(
    fc.property(
      fc.array(whole, { minLength: 1 }),
      fc.constantFrom(...fates),
      fc.nat(),
      (records, fate, at) => {
        const found = recounted(records, 0);
        const books = booked(records);
        const more = { ...books, read: books.read + 1, [fate]: books[fate] + 1 };
        assert.ok(!agrees(more, found), 'booked, but not in the log');
        assert.ok(!agrees(booked(records.slice(1)), found), 'in the log, but not booked');
        const moved = records.with(at % records.length, {
          ...(records[at % records.length] ?? assert.fail()),
          fate,
        });
        const proof = (one: Fate) => (one === 'duplicate' ? 'delivered' : one);
        const same = records.every(
          (record, index) => proof(record.fate) === proof(moved[index]?.fate ?? record.fate),
        );
        assert.equal(agrees(booked(moved), found), same, 'booked under another fate');
      },
    ),
  );
});

test('what is gone leaves room for as many records, and no more', () => {
  fc.assert(
    fc.property(fc.array(past), markers, fc.constantFrom(...fates), (records, more, fate) => {
      const found = recounted(records, more);
      const books = booked(records);
      const beyond = found.gone + found.either + found.expired + books.read + 1;
      assert.ok(!agrees({ ...books, read: books.read + beyond, [fate]: books[fate] + beyond }, found));
    }),
  );
});
