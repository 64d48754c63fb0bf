import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largeTransaction } from '../src/large-transaction.ts';

test('a transaction of 200 000 rows passes through capture within 256 MB', { timeout: 180_000 }, async t => {
  const cost = await largeTransaction({ rows: 200_000, oldSpaceMib: 96 });
  t.diagnostic(JSON.stringify(cost));
  assert.ok(cost.peakRssMib < 256, `${cost.peakRssMib} MiB`);
  assert.ok(cost.peakPssMib < 256, `${cost.peakPssMib} MiB`);
});
