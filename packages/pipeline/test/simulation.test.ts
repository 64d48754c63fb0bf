import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation/simulate.ts';

/** A failing seed replays with `npm run sim -- --seed N`. */
const seeds = 2000;

test(`${seeds} seeded runs with crashes, rebalances, zombies and outages keep every promise`, async () => {
  let events = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const result = await simulate(seed);
    assert.deepEqual(result.violations, [], `seed ${seed}`);
    events += result.events;
  }
  assert.ok(events > seeds * 50, 'the runs were too small to prove anything');
});

test('a seed always gives the same run', async () => {
  assert.deepEqual(await simulate(42), await simulate(42));
});
