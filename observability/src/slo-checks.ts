import { TidemarkError } from '@tidemark/kernel';
import { metricCatalogue } from '@tidemark/observability';
import { durationOf, secondsOf, type Times } from './promql/duration.ts';
import { type BurnPair, burnPairs, type Slo, sliceLength } from './slo.ts';

/** The error ratio above which a pair of windows burns too fast. */
export function burnThreshold(slo: Pick<Slo, 'objective'>, factor: number): number {
  return Number((factor * (1 - slo.objective)).toPrecision(10));
}

/**
 * Refuses an objective whose rules would look fine and never fire.
 * @throws TidemarkError `SLO_OBJECTIVE_INVALID`, `SLO_UNREACHABLE`, `SLO_GUARD_UNREACHABLE`, `SLO_NO_EDGE`,
 *   `SLO_WEIGHTS_MISSING`
 */
export function checkSlo(slo: Slo, pairs: readonly BurnPair[] = burnPairs): void {
  const refuse = (code: string, message: string, hint: string) => {
    throw new TidemarkError(code, `SLO ${slo.name}: ${message}`, { hint });
  };
  if (!(slo.objective > 0 && slo.objective < 1)) {
    refuse(
      'SLO_OBJECTIVE_INVALID',
      `an objective of ${slo.objective} leaves no budget`,
      'Give a share between 0 and 1.',
    );
  }
  for (const { factor, long } of pairs) {
    if (burnThreshold(slo, factor) >= 1) {
      refuse(
        'SLO_UNREACHABLE',
        `burning ${factor} times too fast would take an error ratio of ${burnThreshold(slo, factor)}, which is never exceeded`,
        `Raise the objective above ${1 - 1 / factor}, or leave out the factor ${factor}.`,
      );
    }
    const slices = secondsOf(long) / secondsOf(sliceLength);
    if (slo.indicator.kind === 'slices' && slo.badEventsMin > slices) {
      refuse(
        'SLO_GUARD_UNREACHABLE',
        `${long} has ${slices} slices, fewer than the ${slo.badEventsMin} bad ones that an alert waits for`,
        'Lower badEventsMin.',
      );
    }
  }
  checkEdges(slo, refuse);
  checkWeights(slo, refuse);
}

type Refuse = (code: string, message: string, hint: string) => void;

/** A share below a bound that is no edge of the histogram is always empty. */
function checkEdges({ indicator }: Slo, refuse: Refuse): void {
  if (indicator.kind !== 'events' || !('good' in indicator)) return;
  for (const [, name = '', bound = ''] of indicator
    .good('5m')
    .matchAll(/(\w+)_bucket\{[^}]*le=~?"([\d.]+?)(?:\[\.\]0\)\?|\(\[\.\]0\)\?)?"/g)) {
    const definition = metricCatalogue[name as keyof typeof metricCatalogue];
    const edges: readonly number[] = 'buckets' in definition ? definition.buckets : [];
    if (!edges.includes(Number(bound))) {
      refuse(
        'SLO_NO_EDGE',
        `${name} has no bucket that ends at ${bound}`,
        `Choose among ${edges.join(', ')}.`,
      );
    }
  }
}

/** An event without a weight would silently not count. */
function checkWeights({ indicator, weights }: Slo, refuse: Refuse): void {
  const grouped = indicator.kind === 'events' && indicator.valid('5m').startsWith('sum by (pipeline)');
  if (grouped !== (weights !== undefined)) {
    refuse(
      'SLO_WEIGHTS_MISSING',
      grouped
        ? 'counts by pipeline, but declares no weights'
        : 'declares weights, but does not count by pipeline',
      'Declare `weights` exactly when the counts keep the label pipeline.',
    );
  }
}

/**
 * Refuses a scale at which two windows of an alert become the same.
 * @throws TidemarkError `SCALE_TOO_LARGE`
 */
export function checkScale(times: Times, pairs: readonly BurnPair[] = burnPairs): void {
  for (const { long, short } of pairs) {
    const [longScaled, shortScaled] = [times.window(long), times.window(short)].map(secondsOf);
    const expected = secondsOf(long) / secondsOf(short);
    if ((longScaled ?? 0) / (shortScaled ?? 1) >= expected * 0.75) continue;
    throw new TidemarkError(
      'SCALE_TOO_LARGE',
      `at this scale the windows ${long} and ${short} become ${times.window(long)} and ${times.window(short)}, which no longer tell a start from an end`,
      { hint: `Choose a smaller scale: a rate needs ${durationOf(secondsOf(times.scrape) * 4)} of samples.` },
    );
  }
}
