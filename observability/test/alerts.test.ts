import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { alerts } from '../src/alerts/index.ts';
import { promtoolGroup } from './alert-case.ts';
import { alertCases } from './all-cases.ts';
import { promtool, testRules } from './promtool.ts';
import { alertFileOf, soleRuleFile, specOf } from './rule-subjects.ts';

describe('every alert, by promtool', { skip: promtool.missing }, () => {
  test('fires when it must, is silent before and after, and says what it should', async () => {
    const tests = alertCases.map((alertCase, index) => ({
      name: `case-${index}`,
      rules: [alertFileOf(specOf(alertCase))],
      test: {
        evaluation_interval: alertCase.interval,
        tests: [promtoolGroup(alertCase, specOf(alertCase))],
      },
    }));
    const files = Object.fromEntries(alerts.map(spec => [alertFileOf(spec), soleRuleFile(spec)]));
    const outcomes = await testRules(files, tests);
    assert.equal(outcomes.size, tests.length, 'promtool ran them all');
    const failed = tests
      .filter(({ name }) => !outcomes.get(name)?.ok)
      .map(({ name }) => {
        const alertCase = alertCases[Number(name.slice('case-'.length))];
        return `${alertCase?.alert}: ${alertCase?.what}\n${outcomes.get(name)?.output}`;
      });
    assert.deepEqual(failed, []);
  });
});
