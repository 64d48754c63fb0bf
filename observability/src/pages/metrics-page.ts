import { type MetricDefinition, metricCatalogue } from '@tidemark/observability';
import { pageMark } from './page-mark.ts';

/** docs/metrics.md: what every service tells about itself. */
export function metricsPage(): string {
  const rows = Object.entries<MetricDefinition>(metricCatalogue).map(
    ([name, { kind, unit, labels, stability, help }]) =>
      `| \`${name}\` | ${kind} | ${unit} | ${labels.map(label => `\`${label}\``).join(' ')} | ${stability} | ${help} |`,
  );
  const buckets = Object.entries<MetricDefinition>(metricCatalogue).flatMap(([name, definition]) =>
    definition.buckets ? [`- \`${name}\`: ${definition.buckets.join(', ')}`] : [],
  );
  return `${pageMark('packages/observability/src/catalogue')}
# Metrics

Every service answers \`GET /metrics\` in the Prometheus text format; the api does so under \`/api/metrics\` as well. Beside
these come Node's own (\`process_*\`, \`nodejs_*\`). A **stable** metric keeps its name, unit and labels, because dashboards of
others use it; a **developing** one may still change. Labels have few values each: none holds an id.

| metric | kind | unit | labels | stability | meaning |
|---|---|---|---|---|---|
${rows.join('\n')}

## Edges of the histograms

${buckets.join('\n')}
`;
}
