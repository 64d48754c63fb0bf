import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMetrics } from '@tidemark/observability';
import { parseExposition, total } from '../src/pipelines/exposition.ts';
import { Rates } from '../src/pipelines/rates.ts';

describe('parseExposition', () => {
  test('reads what our own services write', async () => {
    const metrics = createMetrics();
    metrics.counter('cdc_events_total').inc({ table: 'a"b\\c\nd', op: 'insert' }, 3);
    metrics.counter('cdc_events_total').inc({ table: 'users', op: 'insert' }, 4);
    const samples = parseExposition((await metrics.expose()).body);
    assert.equal(total(samples, 'cdc_events_total', { table: 'a"b\\c\nd' }), 3);
    assert.equal(total(samples, 'cdc_events_total', { op: 'insert' }), 7);
    assert.equal(total(samples, 'cdc_events_total', { op: 'delete' }), null);
    assert.ok((total(samples, 'process_resident_memory_bytes') ?? 0) > 0);
  });

  test('reads special values and timestamps, and leaves out what is no sample', () => {
    assert.deepEqual(
      parseExposition('a +Inf\nb{x="1"} -Inf 1700000000000\nc NaN\n\n# d 1\nx{y 1\n').map(
        ({ value }) => value,
      ),
      [Infinity, -Infinity, Number.NaN],
    );
  });
});

describe('Rates', () => {
  test('are the growth between two looks, and unknown after a reset', () => {
    const rates = new Rates();
    assert.equal(rates.perSecond('a', 10, 1000), null);
    assert.equal(rates.perSecond('a', 30, 3000), 10);
    assert.equal(rates.perSecond('b', 30, 3000), null);
    assert.equal(rates.perSecond('a', 5, 4000), null, 'the process was restarted');
    assert.equal(rates.perSecond('a', 6, 5000), 1);
    assert.equal(rates.perSecond('a', null, 6000), null);
  });
});
