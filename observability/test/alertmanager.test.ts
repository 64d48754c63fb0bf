import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inhibitions } from '../src/alertmanager.ts';
import { alertNames, alerts } from '../src/alerts/index.ts';
import { alertingRule } from '../src/prometheus/alert-rules.ts';
import { defaultSettings } from '../src/settings.ts';
import { repository } from './metric-names.ts';
import { amtool, run } from './promtool.ts';

const config = join(repository, 'observability/alertmanager/alertmanager.yml');

/** Where Alertmanager would send an alert with these labels. */
async function route(labels: Readonly<Record<string, string>>): Promise<string> {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const { output } = await run(amtool.name, [
    'config',
    'routes',
    'test',
    `--config.file=${config}`,
    ...pairs,
  ]);
  // amtool warns beside the answer where the machine has a configuration of its own.
  return output.split('\n')[0]?.trim() ?? '';
}

/** The labels of an alert as they leave Prometheus, its templates filled in. */
const labelsOf = (spec: (typeof alerts)[number], drill = 'none') => ({
  alertname: spec.name,
  ...Object.fromEntries(
    Object.entries(alertingRule(spec, { ...defaultSettings, drill }).labels).map(([name, value]) => [
      name,
      value.replaceAll(/\{\{.*?\}\}/g, 'console'),
    ]),
  ),
});

describe('Alertmanager, by amtool', { skip: amtool.missing }, () => {
  test('accepts its configuration', async () => {
    const { ok, output } = await run(amtool.name, ['check-config', config]);
    assert.ok(ok, output);
  });

  test('sends every alert to the receiver of its severity, and in a drill to the referee as well', async () => {
    const receiverOf = { page: 'page', ticket: 'ticket', heartbeat: 'watchdog' } as const;
    for (const spec of alerts) {
      const expected = receiverOf[spec.severity];
      const [normal, drill] = await Promise.all([route(labelsOf(spec)), route(labelsOf(spec, 'slow-db'))]);
      assert.equal(normal, expected, spec.name);
      assert.equal(
        drill,
        spec.severity === 'heartbeat' ? expected : `drill,${expected}`,
        `${spec.name} in a drill`,
      );
    }
  });

  test('loses none: what has no severity that anybody knows is told to be so', async () => {
    assert.equal(await route({ alertname: 'Unknown', severity: 'shrug', drill: 'none' }), 'unrouted');
    assert.equal(await route({ alertname: 'Bare' }), 'unrouted');
  });
});

describe('inhibition', () => {
  const named = (matchers: readonly string[]) =>
    matchers.flatMap(matcher => /^alertname=~"(.*)"$/.exec(matcher)?.[1]?.split('|') ?? []);

  test('names alerts that exist, no alert holds itself back, and no page is held back by a ticket', () => {
    for (const { source_matchers, target_matchers } of inhibitions) {
      const [sources, targets] = [named(source_matchers), named(target_matchers)];
      for (const name of [...sources, ...targets]) assert.ok(alertNames.includes(name), name);
      assert.deepEqual(
        sources.filter(name => targets.includes(name)),
        [],
      );
      const severityOf = (name: string) => alerts.find(spec => spec.name === name)?.severity;
      if (targets.some(name => severityOf(name) === 'page')) {
        assert.deepEqual(
          sources.filter(name => severityOf(name) !== 'page'),
          [],
        );
      }
    }
  });

  test('compares only labels that source and target both have', () => {
    const has = (name: string, label: string) => {
      const spec = alerts.find(each => each.name === name);
      if (!spec) return false;
      const rule = alertingRule(spec, defaultSettings);
      return (
        label in rule.labels ||
        new RegExp(`by \\([^)]*\\b${label}\\b|group_left \\(${label}\\)|^up\\{`).test(rule.expr)
      );
    };
    for (const { source_matchers, target_matchers, equal } of inhibitions) {
      for (const label of equal) {
        for (const name of [...named(source_matchers), ...named(target_matchers)]) {
          assert.ok(has(name, label), `${name} has the label ${label}`);
        }
      }
    }
  });
});
