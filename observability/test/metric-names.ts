import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { foreignMetrics, metricCatalogue } from '@tidemark/observability';
import { ruleFiles } from '../src/generate.ts';
import { metricOf, seriesIn } from '../src/promql/names-in.ts';
import { defaultSettings } from '../src/settings.ts';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

const known = new Set([...Object.keys(metricCatalogue), ...Object.keys(foreignMetrics)]);
const recordedNames = new Set(
  Object.values(ruleFiles(defaultSettings)).flatMap(({ groups }) =>
    groups.flatMap(({ rules }) => rules.flatMap(rule => ('record' in rule ? [rule.record] : []))),
  ),
);

/** The metric of a series; undefined when nobody declares it. What rules record counts as declared. */
export function declaredMetric(series: string): string | undefined {
  return recordedNames.has(series) ? series : metricOf(series, name => known.has(name));
}

/** Series that an expression reads and nobody declares. */
export const undeclaredIn = (expr: string): readonly string[] =>
  seriesIn(expr).filter(name => declaredMetric(name) === undefined);

/** Metrics of our own that an expression reads. */
export const ownMetricsIn = (expr: string): readonly string[] =>
  seriesIn(expr)
    .map(declaredMetric)
    .filter(name => name !== undefined)
    .filter(name => name in metricCatalogue);

/** Metrics of the catalogue that some code asks its registry for. */
export function emittedMetrics(): ReadonlySet<string> {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'apps/*.ts', 'packages/*.ts'], {
    cwd: repository,
    encoding: 'utf8',
  })
    .split('\n')
    .filter(file => /\/src\//.test(file));
  const source = files.map(file => readFileSync(join(repository, file), 'utf8')).join('\n');
  return new Set(
    [...source.matchAll(/(?:counter|gauge|histogram|instrument)\(\s*'([a-z_]+)'/g)].map(
      match => match[1] ?? '',
    ),
  );
}
