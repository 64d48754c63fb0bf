import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { alerts } from '../src/alerts/index.ts';
import { ruleFiles } from '../src/generate.ts';
import type { RuleFile } from '../src/prometheus/rule-file.ts';
import { durationOf } from '../src/promql/duration.ts';
import { defaultSettings } from '../src/settings.ts';
import { promtool, testRules } from './promtool.ts';
import { worlds } from './worlds.ts';

/** Seconds between two samples of a world. */
const step = 60;

/** All rules in one file, evaluated at the pace of the samples: what a world shows, every rule sees. */
function everything(): RuleFile {
  const groups = Object.values(ruleFiles(defaultSettings))
    .flatMap(file => file.groups)
    // Windows of days cost most, and a world of an hour and a half has none of them.
    .filter(({ name }) => !name.endsWith(', days'));
  return { groups: groups.map(({ name, rules }) => ({ name, rules })) };
}

/** Alerts by name that are silent or fire at a moment; labels and texts are the business of other tests. */
function questions(minutes: number, firing: readonly string[]): unknown[] {
  const names = [...new Set(alerts.map(({ name }) => name))];
  return names.map(name => ({
    expr: `count by (alertname) (ALERTS{alertname="${name}", alertstate="firing"}) > bool 0`,
    eval_time: durationOf(minutes * 60),
    exp_samples: firing.includes(name) ? [{ labels: `{alertname="${name}"}`, value: 1 }] : [],
  }));
}

describe('whole worlds, all rules together, by promtool', { skip: promtool.missing }, () => {
  test('healthy ones page nobody, and broken ones raise exactly what they should', async () => {
    const tests = worlds.map(({ name, series, firing, minutes }) => ({
      name: name.replaceAll(/\W+/g, '-'),
      rules: ['everything'],
      test: {
        evaluation_interval: `${step}s`,
        tests: [
          {
            interval: `${step}s`,
            input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
            promql_expr_test: minutes.flatMap(minute => questions(minute, [...firing, 'Watchdog'])),
          },
        ],
      },
    }));
    const outcomes = await testRules({ everything: everything() }, tests);
    assert.equal(outcomes.size, worlds.length);
    assert.deepEqual(
      [...outcomes].filter(([, { ok }]) => !ok).map(([name, { output }]) => `${name}\n${output}`),
      [],
    );
  });
});
