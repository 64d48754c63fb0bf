import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RecordingRule, RuleFile, RuleGroup } from '../src/prometheus/rule-file.ts';
import { sloEvents, sloFacts, sloRatios, sloSlices, windowsOf } from '../src/prometheus/slo-rules.ts';
import { durationOf, secondsOf, timesAt } from '../src/promql/duration.ts';
import type { Slo } from '../src/slo.ts';
import { slos } from '../src/slos.ts';
import { expressionMutants } from './mutants.ts';
import { promtool, type RuleTest, testRules } from './promtool.ts';
import { flat, ramp } from './series-values.ts';

const times = timesAt();
/** Samples in a window: enough that half of them are not the same. */
const samples = 20;

/** What each objective counts, as series that grow by `valid` and `bad` with each sample. */
const sources: Readonly<
  Record<string, (valid: number, bad: number, length: number) => Record<string, string>>
> = {
  'api-availability': (valid, bad, length) => ({
    [http('count', 200)]: ramp(0, valid - bad, length),
    [http('count', 503)]: ramp(0, bad, length),
    // A readiness that is refused at every probe, which nobody asked for.
    [http('count', 503).replace('route="/"', 'route="/readyz"')]: ramp(0, 1000, length),
  }),
  'api-latency': (valid, bad, length) => ({
    [http('count', 200)]: ramp(0, valid, length),
    [http('bucket', 200, '0.3')]: ramp(0, valid - bad, length),
    [http('bucket', 200, '0.5')]: ramp(0, valid, length),
    [http('count', 500)]: ramp(0, 1000, length),
  }),
  freshness: (valid, bad, length) => ({
    [visible('count')]: ramp(0, valid, length),
    // As Prometheus 3 keeps the edge; Prometheus 2 would say 10.
    [visible('bucket', '10.0')]: ramp(0, valid - bad, length),
    [visible('bucket', '30')]: ramp(0, valid, length),
  }),
  completeness: (valid, bad, length) => ({
    'events_processed_total{pipeline="reviews-to-postgres",result="success"}': ramp(0, valid - bad, length),
    'events_processed_total{pipeline="reviews-to-postgres",result="dlq"}': ramp(0, bad, length),
    'events_processed_total{pipeline="reviews-to-postgres",result="fail"}': ramp(0, 1000, length),
    'dead_letters_total{pipeline="reviews-to-postgres",reason="retries_exhausted"}': ramp(0, bad, length),
    'dead_letters_total{pipeline="reviews-to-postgres",reason="business_rule"}': ramp(0, 1000, length),
  }),
  heartbeat: slices,
  correctness: slices,
};

function http(part: string, status: number, le?: string): string {
  return `http_request_duration_seconds_${part}{job="api",method="GET",route="/",status_code="${status}"${le ? `,le="${le}"` : ''}}`;
}
function visible(part: string, le?: string): string {
  return `change_visible_seconds_${part}{pipeline="changes-to-store"${le ? `,le="${le}"` : ''}}`;
}
/** One bad slice among twenty, for both objectives that are judged by time. */
function slices(valid: number, bad: number, length: number): Record<string, string> {
  const values = Array.from({ length }, (_, index) => (index % valid < bad ? 0 : 1)).join(' ');
  return Object.fromEntries(
    ['heartbeat', 'correctness'].map(slo => [`slo:slice_good{slo="${slo}"}`, values]),
  );
}

const group = (groups: readonly RuleGroup[]): RuleFile => ({ groups });
const rulesOf = (slo: Slo): readonly RecordingRule[] =>
  sloEvents([slo], times).flatMap(each => each.rules as readonly RecordingRule[]);

/** Twice the window of twenty events with one bad one between two samples; every second counts. */
function windowTest(slo: Slo, rule: RecordingRule): { readonly test: unknown } {
  const window = windowsOf(slo).find(each => rule.record.endsWith(`increase${each}`)) ?? '1h';
  const step = durationOf(secondsOf(window) / samples);
  const isSlices = slo.indicator.kind === 'slices';
  const series = sources[slo.name]?.(20, 1, 2 * samples + 1) ?? {};
  // A closed range holds one sample more than intervals; of slices it counts the samples.
  const valid = isSlices ? samples + 1 : 20 * samples;
  const bad = isSlices ? 2 : samples;
  const labels =
    slo.weights === undefined
      ? ''
      : `, pipeline="${Object.keys(series)[0]?.match(/pipeline="([^"]+)"/)?.[1]}"`;
  return {
    test: {
      evaluation_interval: step,
      tests: [
        {
          interval: step,
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [
            {
              expr: rule.record,
              eval_time: durationOf(2 * secondsOf(window)),
              exp_samples: [
                {
                  labels: `${rule.record}{slo="${slo.name}"${labels}}`,
                  value: rule.record.startsWith('slo:bad') ? bad : valid,
                },
              ],
            },
          ],
        },
      ],
    },
  };
}

describe('what objectives are made of, by promtool', { skip: promtool.missing }, () => {
  test('every window counts all of its events, and a rule that is missing or half as long is noticed', async () => {
    const files: Record<string, RuleFile> = {};
    const right: RuleTest[] = [];
    const wrong: RuleTest[] = [];
    for (const slo of slos) {
      for (const rule of rulesOf(slo)) {
        const name = `${slo.name}-${rule.record.replaceAll(':', '-')}`;
        const { test } = windowTest(slo, rule);
        files[name] = group([{ name: 'sole', rules: [rule] }]);
        right.push({ name, rules: [name], test });
        files[`${name}-removed`] = group([]);
        wrong.push({ name: `${name}-removed`, rules: [`${name}-removed`], test });
        for (const [index, { expr }] of expressionMutants(rule.expr).entries()) {
          files[`${name}-${index}`] = group([{ name: 'sole', rules: [{ ...rule, expr }] }]);
          wrong.push({ name: `${name}-${index}`, rules: [`${name}-${index}`], test });
        }
      }
    }
    const outcomes = await testRules(files, [...right, ...wrong]);
    assert.deepEqual(
      right
        .filter(({ name }) => !outcomes.get(name)?.ok)
        .map(({ name }) => `${name}\n${outcomes.get(name)?.output}`),
      [],
    );
    process.stderr.write(`${wrong.length} mistakes in recording rules\n`);
    assert.deepEqual(
      wrong.filter(({ name }) => outcomes.get(name)?.ok !== false).map(({ name }) => name),
      [],
    );
  });

  test('ratios are weighted sums of bad over valid; nothing valid has no ratio; a service that never failed has 0', async () => {
    const facts = sloFacts(slos);
    const completeness = slos.filter(({ name }) => name === 'completeness');
    const availability = slos.filter(({ name }) => name === 'api-availability');
    const events = (pipeline: string, valid: number, bad: number) => ({
      [`slo:valid_events:increase1h{slo="completeness",pipeline="${pipeline}"}`]: flat(valid, 5),
      [`slo:bad_events:increase1h{slo="completeness",pipeline="${pipeline}"}`]: flat(bad, 5),
    });
    const asked = (expr: string, samplesExpected: readonly unknown[]) => ({
      expr,
      eval_time: '4m',
      exp_samples: samplesExpected,
    });
    const ratio = 'slo:error_ratio:increase1h';
    const inputs = (series: Record<string, string>) =>
      Object.entries(series).map(([name, values]) => ({ series: name, values }));
    const weighted = {
      interval: '1m',
      input_series: inputs({
        ...events('changes-to-store', 1000, 0),
        ...events('changes-to-log', 1000, 100),
        ...events('dead-letters-to-postgres', 50, 10),
      }),
      // (0·1 + 100·0.1 + 10·2) ÷ (1000·1 + 1000·0.1 + 50·2)
      promql_expr_test: [asked(ratio, [{ labels: `${ratio}{slo="completeness"}`, value: 0.025 }])],
    };
    const silent = {
      interval: '1m',
      input_series: inputs(events('changes-to-store', 0, 0)),
      promql_expr_test: [asked(ratio, [])],
    };
    const flawless = {
      interval: '1m',
      input_series: inputs({ [http('count', 200)]: ramp(0, 10, 5) }),
      promql_expr_test: [
        asked('slo:bad_events:increase5m', [
          { labels: 'slo:bad_events:increase5m{slo="api-availability"}', value: 0 },
        ]),
      ],
    };
    const files = {
      facts: group([facts]),
      ratios: group(sloRatios(completeness, times)),
      events: group(sloEvents(availability, times)),
    };
    const outcomes = await testRules(files, [
      {
        name: 'weighted',
        rules: ['facts', 'ratios'],
        test: { evaluation_interval: '1m', tests: [weighted] },
      },
      { name: 'silent', rules: ['facts', 'ratios'], test: { evaluation_interval: '1m', tests: [silent] } },
      { name: 'flawless', rules: ['events'], test: { evaluation_interval: '1m', tests: [flawless] } },
    ]);
    assert.deepEqual(
      [...outcomes].filter(([, { ok }]) => !ok),
      [],
    );
    assert.equal(outcomes.size, 3);
  });

  test('a slice is good while every stage is fresh, and bad when one of them is slow or says nothing', async () => {
    const fresh = {
      'capture_state{changefeed="sre-cdc",state="normal"}': '1 1 0 1 1 1 1',
      'capture_lag_seconds{changefeed="sre-cdc"}': '0 10 0 11 0 0 0',
      'pipeline_state{pipeline="changes-to-store",state="running"}': '1 1 1 1 0 1 1',
      'pipeline_oldest_pending_seconds{pipeline="changes-to-store"}': '0 10 0 0 0 11 0',
      'up{job="capture"}': '1 1 1 1 1 1 1',
      'up{job="consumer"}': '1 1 1 1 1 1 0',
      'pipeline_unaccounted_events{pipeline="changes-to-store"}': '0 0 0 -1 0 0 0',
    };
    const slice = (slo: string, value: number) => ({ labels: `slo:slice_good{slo="${slo}"}`, value });
    const inputs = (without = '') =>
      Object.entries(fresh)
        .filter(([name]) => name !== without)
        .map(([series, values]) => ({ series, values }));
    const asked = (slo: string, values: readonly number[]) =>
      values.map((value, minute) => ({
        expr: `slo:slice_good{slo="${slo}"}`,
        eval_time: `${minute}m`,
        exp_samples: [slice(slo, value)],
      }));
    const named = (name: string, series: unknown, questions: unknown) => ({
      name,
      rules: ['slices'],
      test: {
        evaluation_interval: '1m',
        tests: [{ interval: '1m', input_series: series, promql_expr_test: questions }],
      },
    });
    const tests = [
      named('heartbeat', inputs(), asked('heartbeat', [1, 1, 0, 0, 0, 0, 0])),
      named('correctness', inputs(), asked('correctness', [1, 1, 1, 0, 1, 1, 1])),
      ...Object.keys(fresh)
        .filter(name => !name.startsWith('up{') && !name.startsWith('pipeline_unaccounted'))
        .map((name, index) => named(`without-${index}`, inputs(name), asked('heartbeat', [0, 0]))),
    ];
    const [slicesGroup] = [sloSlices(slos, times)];
    const outcomes = await testRules({ slices: group([slicesGroup]) }, tests);
    assert.deepEqual(
      [...outcomes].filter(([, { ok }]) => !ok),
      [],
    );
    assert.equal(outcomes.size, tests.length);
  });
});
