import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { alerts } from '../src/alerts/index.ts';
import { alertingRule } from '../src/prometheus/alert-rules.ts';
import type { RuleFile } from '../src/prometheus/rule-file.ts';
import { defaultSettings } from '../src/settings.ts';
import { promtoolGroup } from './alert-case.ts';
import { alertCases } from './all-cases.ts';
import { alertMutants } from './mutants.ts';
import { promtool, type RuleTest, testRules } from './promtool.ts';
import { alertFileOf, fileOf, specOf } from './rule-subjects.ts';

const empty: RuleFile = { groups: [] };

describe('mistakes in alerts', { skip: promtool.missing }, () => {
  test('a rule removed, a threshold times ten, a window or a wait halved: some case fails', async () => {
    const ruleFiles: Record<string, RuleFile> = {};
    const tests: RuleTest[] = [];
    const mutants = alerts.flatMap(spec => {
      const cases = alertCases.filter(each => specOf(each) === spec);
      return alertMutants(alertingRule(spec, defaultSettings)).map(({ what, rule }, index) => {
        const name = `${alertFileOf(spec)}-${index}`;
        ruleFiles[name] = rule === undefined ? empty : fileOf(rule);
        const names = cases.map((alertCase, which) => {
          const test = {
            evaluation_interval: alertCase.interval,
            tests: [promtoolGroup(alertCase, spec)],
          };
          tests.push({ name: `${name}-${which}`, rules: [name], test });
          return `${name}-${which}`;
        });
        return { what: `${spec.name} (${spec.severity}): ${what}`, names };
      });
    });
    const outcomes = await testRules(ruleFiles, tests);
    const survivors = mutants.filter(({ names }) => names.every(name => outcomes.get(name)?.ok !== false));
    process.stderr.write(`${mutants.length} mistakes, ${survivors.length} unnoticed\n`);
    assert.deepEqual(
      survivors.map(({ what }) => what),
      [],
    );
  });
});
