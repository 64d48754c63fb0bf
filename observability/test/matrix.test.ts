import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { pipelines } from '@tidemark/contracts/names';
import { alertNames, alerts } from '../src/alerts/index.ts';
import { dashboards } from '../src/grafana/dashboards/index.ts';
import { alertingRule } from '../src/prometheus/alert-rules.ts';
import { defaultSettings } from '../src/settings.ts';
import { slos } from '../src/slos.ts';
import { alertCases } from './all-cases.ts';
import { emittedMetrics, ownMetricsIn, repository, undeclaredIn } from './metric-names.ts';
import { specOf } from './rule-subjects.ts';

const sections = ['Symptoms', 'Meaning', 'Immediate checks', 'Likely causes', 'Mitigation now', 'Follow-ups'];
const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const runbook = (name: string) => read(`runbooks/${name}.md`);
const rules = alerts.map(spec => ({ spec, rule: alertingRule(spec, defaultSettings) }));

describe('every alert', () => {
  test('has the labels and annotations that routing and people need', () => {
    for (const { spec, rule } of rules) {
      for (const label of ['severity', 'service', 'team', 'drill'])
        assert.ok(rule.labels[label], `${spec.name}: ${label}`);
      if (spec.slo !== undefined)
        assert.ok(
          slos.some(({ name }) => name === spec.slo),
          `${spec.name}: ${spec.slo}`,
        );
      for (const name of ['summary', 'impact', 'runbook_url', 'dashboard_url', 'trace_query']) {
        assert.ok(rule.annotations[name], `${spec.name}: ${name}`);
      }
      assert.match(rule.annotations['summary'] ?? '', /\{\{ \$value/, `${spec.name} tells its value`);
      assert.match(rule.annotations['summary'] ?? '', /^[\w{].*\.$/s);
      if (/by \(pipeline\b|pipeline_info/.test(rule.expr)) {
        assert.match(
          rule.annotations['summary'] ?? '',
          /\$labels\.pipeline/,
          `${spec.name} names its pipeline`,
        );
      }
    }
  });

  test('reads only what somebody declares and emits', () => {
    const emitted = emittedMetrics();
    for (const { spec, rule } of rules) {
      assert.deepEqual(undeclaredIn(rule.expr), [], spec.name);
      assert.deepEqual(
        ownMetricsIn(rule.expr).filter(name => !emitted.has(name)),
        [],
        spec.name,
      );
    }
  });

  test('has a name of its own, but for the two burns of an objective', () => {
    const keys = alerts.map(({ name, severity }) => `${name} ${severity}`);
    assert.equal(new Set(keys).size, keys.length);
    const twice = alertNames.filter(name => alerts.filter(spec => spec.name === name).length > 1);
    assert.deepEqual(
      twice,
      slos.map(({ alert }) => alert),
    );
  });

  test('has cases in which it fires, in which it is silent before, and in which it ends', () => {
    for (const spec of alerts) {
      const cases = alertCases.filter(each => specOf(each) === spec);
      const moments = cases.map(({ expect }) =>
        expect.map(({ firing }) => (firing ? 'firing' : 'silent')).join(' '),
      );
      assert.ok(
        moments.some(each => each.includes('firing')),
        `${spec.name} ${spec.severity} fires`,
      );
      if (spec.severity === 'heartbeat') continue;
      assert.ok(
        moments.some(each => /^silent.*firing.*silent$/.test(each)),
        `${spec.name} ${spec.severity} is silent before it fires, and after`,
      );
    }
  });

  test('points to a row of a dashboard', () => {
    for (const { name, place } of alerts) {
      const dashboard = dashboards.find(({ key }) => key === place.dashboard);
      assert.ok(
        dashboard?.rows.some(({ title }) => title === place.row),
        `${name}: ${place.dashboard} › ${place.row}`,
      );
    }
  });

  test('can be provoked, or says why it cannot', () => {
    for (const { name, provocation } of alerts) {
      const text = 'do' in provocation ? provocation.do : provocation.none;
      assert.ok(text.length > 20, name);
    }
  });
});

describe('every runbook', () => {
  test('is one of an alert, and every alert has one', () => {
    const files = readdirSync(join(repository, 'runbooks')).sort();
    assert.deepEqual(files, alertNames.map(name => `${name}.md`).sort());
  });

  test('has every section, none empty, with commands to run and a way to tell that it is over', () => {
    for (const name of alertNames) {
      const text = runbook(name);
      assert.match(text, new RegExp(`^# ${name}\n`), name);
      const parts = text.split(/^## /m).slice(1);
      assert.deepEqual(
        parts.map(part => part.split('\n')[0]),
        sections,
        name,
      );
      for (const part of parts) {
        const [title = '', ...lines] = part.split('\n');
        assert.ok(lines.join(' ').trim().length > 40, `${name}: ${title} says something`);
      }
      assert.match(parts[2] ?? '', /^```(?:sh|sql|promql)$/m, `${name}: checks can be run`);
    }
  });

  test('says its own things: no paragraph stands in two of them', () => {
    const seen = new Map<string, string>();
    for (const name of alertNames) {
      const paragraphs = runbook(name)
        .replaceAll(/^```[\s\S]*?^```$/gm, '')
        .split(/\n\n|\n(?=[-\d])/)
        .map(paragraph => paragraph.trim())
        .filter(paragraph => paragraph.length > 60);
      for (const paragraph of paragraphs) {
        assert.equal(
          seen.get(paragraph) ?? name,
          name,
          `in ${seen.get(paragraph)} and ${name}: ${paragraph}`,
        );
        seen.set(paragraph, name);
      }
    }
  });

  test('uses commands, metrics and pipelines that exist', () => {
    const commands =
      read('apps/cli/src/cli.ts') + readdirSync(join(repository, 'apps/cli/src/commands')).join(' ');
    for (const name of alertNames) {
      const text = runbook(name);
      for (const [, command = ''] of text.matchAll(/\.\/tidemark ([a-z-]+)/g)) {
        assert.ok(commands.includes(command), `${name}: tidemark ${command}`);
      }
      for (const [, pipeline = ''] of text.matchAll(/localhost:8001\/pipelines\/([a-z-]+)/g)) {
        assert.ok((Object.values(pipelines) as string[]).includes(pipeline), `${name}: ${pipeline}`);
      }
      for (const [, block = ''] of text.matchAll(/^```promql\n([\s\S]*?)^```/gm)) {
        assert.deepEqual(undeclaredIn(block.replaceAll(/#.*$/gm, '')), [], name);
      }
    }
  });
});

describe('links', () => {
  const pages = ['RUNBOOK.md', 'docs/slo.md', 'docs/metrics.md', 'observability/README.md'];

  test('of the runbooks, their index and the pages lead to files and headings that exist', () => {
    for (const page of [...pages, ...alertNames.map(name => `runbooks/${name}.md`)]) {
      for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        assert.ok(existsSync(join(repository, file)), `${page} → ${target}`);
        if (anchor) assert.ok(read(file).includes(`id="${anchor}"`), `${page} → ${target}`);
      }
    }
  });

  test('the index leads to every runbook', () => {
    const index = read('RUNBOOK.md');
    for (const name of alertNames) assert.ok(index.includes(`(runbooks/${name}.md)`), name);
  });
});
