import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { furtherPipelines, pipelines } from '@tidemark/contracts/names';
import { isTidemarkError } from '@tidemark/kernel';
import { timesAt } from '../src/promql/duration.ts';
import { series } from '../src/promql/series.ts';
import type { Slo } from '../src/slo.ts';
import { burnThreshold, checkScale, checkSlo } from '../src/slo-checks.ts';
import { slos } from '../src/slos.ts';

const [availability, latency] = slos as readonly Slo[];
const heartbeat = slos.find(({ name }) => name === 'heartbeat') as Slo;
const refusal = (code: string, message: RegExp) => (error: unknown) =>
  isTidemarkError(error) && error.code === code && message.test(error.message) && Boolean(error.hint);

describe('an objective', () => {
  test('that is declared passes', () => {
    for (const slo of slos) checkSlo(slo);
  });

  test('too low for the fast factor is refused: 14.4 times 7 % is more than everything', () => {
    const low = { ...availability, objective: 0.93 } as Slo;
    assert.throws(() => checkSlo(low), refusal('SLO_UNREACHABLE', /api-availability.*14\.4.*never exceeded/));
    checkSlo({ ...availability, objective: 0.9306 } as Slo);
  });

  test('of everything, or of nothing, is refused', () => {
    for (const objective of [0, 1, 1.5, Number.NaN]) {
      assert.throws(
        () => checkSlo({ ...availability, objective } as Slo),
        refusal('SLO_OBJECTIVE_INVALID', /budget/),
      );
    }
  });

  test('whose bound is no edge of its histogram is refused', () => {
    const between = {
      ...latency,
      indicator: {
        kind: 'events',
        unit: 'requests',
        valid: w => `sum(increase(${series('http_request_duration_seconds_count')}[${w}]))`,
        good: w => `sum(increase(${series('http_request_duration_seconds_bucket', { le: '0.2' })}[${w}]))`,
      },
    } as Slo;
    assert.throws(() => checkSlo(between), refusal('SLO_NO_EDGE', /no bucket that ends at 0\.2/));
  });

  test('of ours would be refused as well if its bound moved off its edge', () => {
    for (const [name, from, to] of [
      ['api-latency', '"0.3"', '"0.31"'],
      ['freshness', '"10([.]0)?"', '"11([.]0)?"'],
    ] as const) {
      const slo = slos.find(each => each.name === name) as Slo;
      const { indicator } = slo;
      assert.ok(indicator.kind === 'events' && 'good' in indicator);
      const moved = { ...indicator, good: (w: '5m') => indicator.good(w).replace(from, to) };
      assert.notEqual(moved.good('5m'), indicator.good('5m'));
      assert.throws(
        () => checkSlo({ ...slo, indicator: moved } as Slo),
        refusal('SLO_NO_EDGE', /no bucket/),
        name,
      );
    }
  });

  test('that waits for more bad slices than its window has is refused', () => {
    assert.throws(
      () => checkSlo({ ...heartbeat, badEventsMin: 361 }),
      refusal('SLO_GUARD_UNREACHABLE', /1h has 360 slices/),
    );
  });

  test('by pipeline without weights is refused, and weights without pipelines as well', () => {
    const { weights: _, ...bare } = slos.find(({ name }) => name === 'completeness') as Slo;
    assert.throws(() => checkSlo(bare), refusal('SLO_WEIGHTS_MISSING', /declares no weights/));
    assert.throws(
      () => checkSlo({ ...availability, weights: { x: 1 } } as Slo),
      refusal('SLO_WEIGHTS_MISSING', /does not count by pipeline/),
    );
  });

  test('of completeness weighs every pipeline', () => {
    const { weights = {} } = slos.find(({ name }) => name === 'completeness') as Slo;
    const all = [...Object.values(pipelines), ...Object.values(furtherPipelines)];
    assert.deepEqual(Object.keys(weights).sort(), all.sort());
  });

  test('burns above its factor times its budget, without the noise of floating point', () => {
    assert.equal(burnThreshold({ objective: 0.999 }, 14.4), 0.0144);
    assert.equal(burnThreshold({ objective: 0.99 }, 1), 0.01);
  });
});

describe('times', () => {
  test('of a drill are sixty times shorter, but never too short for a rate', () => {
    const drill = timesAt(60);
    assert.equal(drill.scrape, '1s');
    assert.equal(drill.window('1h'), '1m');
    assert.equal(drill.window('5m'), '5s');
    assert.equal(drill.window('1m'), '4s');
    assert.equal(drill.wait('2m'), '2s');
    assert.equal(timesAt(1).window('5m'), '5m');
    checkScale(drill);
  });

  test('that lengthen, or that make two windows one, are refused', () => {
    assert.throws(() => timesAt(0.5), refusal('SCALE_INVALID', /0\.5/));
    assert.throws(() => timesAt(Number.NaN), refusal('SCALE_INVALID', /NaN/));
    assert.throws(() => checkScale(timesAt(600)), refusal('SCALE_TOO_LARGE', /1h and 5m become/));
  });
});
