import { type Duration, secondsOf, type Times } from '../promql/duration.ts';
import { recorded } from '../promql/series.ts';
import { type BurnPair, burnPairs, type Slo, sliceLength } from '../slo.ts';
import { burnThreshold } from '../slo-checks.ts';
import type { AlertingRule, RecordingRule, RuleGroup } from './rule-file.ts';

/** The windows of all pairs and the period, each once, short ones first. */
export function windowsOf(slo: Slo): readonly Duration[] {
  const all = burnPairs.flatMap(({ long, short }) => [short, long]).concat(slo.period);
  return [...new Set(all)].sort((a, b) => secondsOf(a) - secondsOf(b));
}

export const validEvents = (window: Duration, slo?: string) =>
  recorded(`slo:valid_events:increase${window}`, slo === undefined ? {} : { slo });
export const badEvents = (window: Duration, slo?: string) =>
  recorded(`slo:bad_events:increase${window}`, slo === undefined ? {} : { slo });
export const errorRatio = (window: Duration, slo?: string) =>
  recorded(`slo:error_ratio:increase${window}`, slo === undefined ? {} : { slo });
export const sliceGood = (slo: string) => recorded('slo:slice_good', { slo });

/** Facts of the declaration, so that dashboards and the budget need not know them: objective and weights. */
export function sloFacts(slos: readonly Slo[]): RuleGroup {
  const fact = (record: string, value: number, labels: Record<string, string>): RecordingRule => ({
    record,
    expr: `vector(${value})`,
    labels,
  });
  return {
    name: 'slo facts',
    rules: slos.flatMap(({ name: slo, objective, weights = {} }) => [
      fact('slo:objective', objective, { slo }),
      ...Object.entries(weights).map(([pipeline, weight]) =>
        fact('slo:pipeline_weight', weight, { slo, pipeline }),
      ),
    ]),
  };
}

/** Is this moment a good one? For objectives that are judged by time. */
export function sloSlices(slos: readonly Slo[], times: Times): RuleGroup {
  return {
    name: 'slo slices',
    interval: times.interval(sliceLength),
    rules: slos.flatMap(({ name: slo, indicator }) =>
      indicator.kind === 'slices'
        ? [{ record: 'slo:slice_good', expr: indicator.good, labels: { slo } }]
        : [],
    ),
  };
}

/**
 * Numerators and denominators by window. Both are kept: a ratio of a month made from ratios of minutes would give a
 * quiet night the weight of a busy day.
 */
export function sloEvents(slos: readonly Slo[], times: Times): readonly RuleGroup[] {
  return inTwoPaces('slo events', slos, times, (slo, window) => {
    const labels = { slo: slo.name };
    const { valid, bad } = counts(slo, window, times);
    return [
      { record: validEvents(window), expr: valid, labels },
      { record: badEvents(window), expr: bad, labels },
    ];
  });
}

/** Windows of days move slowly and cost most, so they are looked at less often than the rest. */
function inTwoPaces(
  name: string,
  slos: readonly Slo[],
  times: Times,
  rulesOf: (slo: Slo, window: Duration) => readonly RecordingRule[],
): readonly RuleGroup[] {
  const isSlow = (window: Duration) => secondsOf(window) >= secondsOf('1d');
  return slos.flatMap(slo => {
    const windows = windowsOf(slo);
    const rules = (among: readonly Duration[]) => among.flatMap(window => rulesOf(slo, window));
    return [
      { name: `${name} of ${slo.name}, hours`, rules: rules(windows.filter(window => !isSlow(window))) },
      {
        name: `${name} of ${slo.name}, days`,
        interval: times.interval('2m'),
        rules: rules(windows.filter(isSlow)),
      },
    ];
  });
}

function counts(slo: Slo, declared: Duration, times: Times): { valid: string; bad: string } {
  const { name, indicator, weights } = slo;
  const window = times.window(declared);
  if (indicator.kind === 'slices') {
    const slice = `${sliceGood(name)}[${window}]`;
    const valid = `count_over_time(${slice})`;
    return { valid, bad: `${valid} - sum_over_time(${slice})` };
  }
  const valid = indicator.valid(window);
  if ('good' in indicator) return { valid, bad: `clamp_min(${valid} - ${indicator.good(window)}, 0)` };
  // Without this, a service that never failed would have no numerator, and so no ratio.
  const none = `0 * sum${weights ? ' by (pipeline)' : ''} (${validEvents(declared, name)})`;
  return { valid, bad: `${indicator.bad(window)} or ${none}` };
}

/** Bad ÷ valid, weighted where pipelines have weights; absent, not 0, while nothing was valid. */
export function sloRatios(slos: readonly Slo[], times: Times): readonly RuleGroup[] {
  return inTwoPaces('slo ratios', slos, times, (slo, window) => {
    const [bad, valid] = [badEvents(window, slo.name), validEvents(window, slo.name)].map(count =>
      slo.weights === undefined ? `sum by (slo) (${count})` : `sum by (slo) (${count} ${weighted})`,
    );
    return [{ record: errorRatio(window), expr: `${bad} / (${valid} > 0)`, labels: { slo: slo.name } }];
  });
}

const weighted = `* on (slo, pipeline) group_left () ${recorded('slo:pipeline_weight')}`;

/** Two alerts for each objective: one that wakes somebody, one that waits for the morning. */
export function burnExpression(slo: Slo, severity: BurnPair['severity']): string {
  return burnPairs
    .filter(pair => pair.severity === severity)
    .map(({ factor, long, short }) => {
      const threshold = burnThreshold(slo, factor);
      return [
        '(',
        `  ${errorRatio(long, slo.name)} > ${threshold}`,
        `  and ${errorRatio(short, slo.name)} > ${threshold}`,
        `  and sum by (slo) (${badEvents(long, slo.name)}) >= ${slo.badEventsMin}`,
        ')',
      ].join('\n');
    })
    .join('\nor\n');
}

export function isAlerting(rule: RecordingRule | AlertingRule): rule is AlertingRule {
  return 'alert' in rule;
}
