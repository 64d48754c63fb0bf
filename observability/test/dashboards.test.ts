import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { metricCatalogue } from '@tidemark/observability';
import { ruleFiles } from '../src/generate.ts';
import { dashboardJson } from '../src/grafana/dashboard.ts';
import { dashboards } from '../src/grafana/dashboards/index.ts';
import { chosenPrometheus, type Panel } from '../src/grafana/panel.ts';
import { dashboardIds } from '../src/grafana/place.ts';
import { defaultSettings } from '../src/settings.ts';
import { emittedMetrics, ownMetricsIn, undeclaredIn } from './metric-names.ts';
import { promtool, run } from './promtool.ts';

interface LaidPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr?: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
}
interface LaidDashboard {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly editable: boolean;
  readonly templating: { readonly list: readonly Record<string, unknown>[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly LaidPanel[];
}

const laid = dashboards.map(dashboard => ({
  ...dashboard,
  json: dashboardJson(dashboard, defaultSettings) as LaidDashboard,
}));
const shown = ({ json }: (typeof laid)[number]) => json.panels.filter(({ type }) => type !== 'row');
const queriesOf = (panel: LaidPanel) =>
  panel.targets?.flatMap(({ expr }) => (expr === undefined ? [] : [expr])) ?? [];
const ofPrometheus = ({ datasource }: LaidPanel) => datasource?.type === 'prometheus';
/** Every query over Prometheus, with where it stands. */
const queries = laid.flatMap(each =>
  shown(each)
    .filter(ofPrometheus)
    .flatMap(panel =>
      queriesOf(panel).map(expr => ({ where: `${each.title} › ${panel.title}`, panel, expr })),
    ),
);

describe('dashboards', () => {
  test('have ids that stay, are not edited in Grafana, and are linked by their tag', () => {
    assert.deepEqual(laid.map(({ json }) => json.uid).sort(), Object.values(dashboardIds).sort());
    for (const { key, json } of laid) {
      assert.equal(json.uid, `tidemark-${key}`);
      assert.equal(json.editable, false);
      assert.deepEqual(json.tags, ['tidemark']);
      assert.match(json.title, /^Tidemark \/ \w/);
    }
  });

  test('offer the data source and variables that are used, each with all and several values', () => {
    for (const { title, json } of laid) {
      const [first, ...others] = json.templating.list;
      assert.equal(first?.['type'], 'datasource');
      const names = others.map(variable => String(variable['name']));
      for (const variable of others) {
        assert.deepEqual(
          [variable['multi'], variable['includeAll'], variable['refresh']],
          [true, true, 2],
          title,
        );
        assert.deepEqual(
          undeclaredIn(String(variable['definition']).replace(/^label_values\((.*), \w+\)$/, '$1')),
          [],
        );
      }
      const text = JSON.stringify(json.panels);
      const used = new Set([...text.matchAll(/\$(?!__|\{)([a-z]+)/g)].map(match => match[1] ?? ''));
      assert.deepEqual([...used].sort(), names.sort(), `variables of ${title}`);
    }
  });

  test('say of every panel what it shows, in a unit', () => {
    for (const each of laid) {
      const titles = shown(each).map(({ title }) => title);
      assert.equal(new Set(titles).size, titles.length, `titles of ${each.title}`);
      for (const panel of shown(each)) {
        const where = `${each.title} › ${panel.title}`;
        assert.match(panel.description ?? '', /^[A-Z0-9].{9,}\.$/s, where);
        assert.ok(panel.fieldConfig?.defaults.unit, where);
        assert.ok(panel.targets && panel.targets.length > 0, where);
        if (ofPrometheus(panel)) assert.equal(panel.datasource?.uid, chosenPrometheus.uid, where);
      }
    }
  });

  test('lay panels out beside each other, not over each other', () => {
    for (const { title, json } of laid) {
      assert.equal(new Set(json.panels.map(({ id }) => id)).size, json.panels.length);
      const taken = new Set<string>();
      for (const { gridPos, title: panel } of json.panels) {
        assert.ok(gridPos.x + gridPos.w <= 24, `${title} › ${panel} ends at the edge`);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            assert.ok(!taken.has(`${x}:${y}`), `${title} › ${panel} lies over another`);
            taken.add(`${x}:${y}`);
          }
        }
      }
    }
  });

  test('read only what somebody emits', () => {
    const emitted = emittedMetrics();
    const annotations = laid.flatMap(({ title, json }) =>
      json.annotations.list.map(({ expr }) => ({ where: `${title}, annotations`, expr })),
    );
    for (const { where, expr } of [...queries, ...annotations]) {
      assert.deepEqual(undeclaredIn(expr), [], where);
      assert.deepEqual(
        ownMetricsIn(expr).filter(name => !emitted.has(name)),
        [],
        where,
      );
    }
  });

  test('take rates over the window that fits the graph, and show histograms by their buckets', () => {
    for (const { where, expr } of queries) {
      for (const [, window] of expr.matchAll(/\brate\([^[]*\[([^\]]+)\]/g)) {
        assert.equal(window, '$__rate_interval', where);
      }
      if (expr.includes('histogram_quantile')) assert.match(expr, /sum by \(le/, where);
    }
  });

  test('show what is measured in the unit that it is measured in', () => {
    const fits: Readonly<Record<string, readonly Panel['unit'][]>> = {
      seconds: ['s', 'percentunit'],
      bytes: ['bytes', 'Bps', 'percentunit'],
    };
    for (const { where, panel, expr } of queries) {
      const isCount = /_count\b/.test(expr) || panel.type === 'heatmap';
      for (const name of ownMetricsIn(expr)) {
        const { unit } = metricCatalogue[name as keyof typeof metricCatalogue];
        const expected = isCount ? undefined : fits[unit];
        if (expected)
          assert.ok(
            expected.includes(panel.fieldConfig?.defaults.unit as Panel['unit']),
            `${where}: ${name}`,
          );
      }
    }
  });

  test('and rules leave no metric unused that a service emits', () => {
    const used = new Set(queries.flatMap(({ expr }) => ownMetricsIn(expr)));
    for (const { groups } of Object.values(ruleFiles(defaultSettings))) {
      for (const { rules } of groups)
        for (const { expr } of rules) for (const name of ownMetricsIn(expr)) used.add(name);
    }
    const emitted = emittedMetrics();
    const unused = Object.keys(metricCatalogue).filter(name => emitted.has(name) && !used.has(name));
    assert.deepEqual(unused, [], 'let a panel in observability/src/grafana/dashboards show it');
  });

  test('ask in PromQL that Prometheus reads', { skip: promtool.missing }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-queries-'));
    const rules = queries.map(({ expr, where }, index) => ({
      record: `query_${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$[a-z]+/g, '.*'),
      labels: { where: where.replaceAll(/\W/g, '_') },
    }));
    await writeFile(join(folder, 'queries.yml'), JSON.stringify({ groups: [{ name: 'queries', rules }] }));
    const { ok, output } = await run(promtool.name, ['check', 'rules', join(folder, 'queries.yml')]);
    await rm(folder, { recursive: true });
    assert.ok(ok, output);
  });
});
