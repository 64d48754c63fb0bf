import type { AlertSpec } from '../alerts/alert.ts';
import { alertFiles } from '../alerts/index.ts';
import { dashboardIds } from '../grafana/place.ts';
import { pageMark } from './page-mark.ts';

const titles = {
  'slo-burn': 'Objectives',
  api: 'Api',
  capture: 'Capture',
  pipelines: 'Pipelines',
  lag: 'Consumer groups and lag',
  broker: 'Broker and producer',
  runtime: 'Processes and database',
  machine: 'Machine and probes',
  meta: 'Monitoring itself',
} as const satisfies Record<keyof typeof alertFiles, string>;

/** RUNBOOK.md: what to do when an alert comes, by where it comes from. */
export function runbookIndex(): string {
  const sections = Object.entries(alertFiles).map(([file, specs]) => {
    const names = [...new Set(specs.map(({ name }) => name))];
    const rows = names.map(name => row(specs.filter(spec => spec.name === name)));
    return `## ${titles[file as keyof typeof titles]}

| alert | severity | waits | what it means for others | look at | how to provoke it |
|---|---|---|---|---|---|
${rows.join('\n')}`;
  });
  return `${pageMark('observability/src/alerts')}
# Runbook

Something is wrong and you are here: find the alert, open its page, start with *Immediate checks*. Every page has the same
sections: symptoms, meaning, immediate checks, likely causes, mitigation now, follow-ups.

Three questions first, from the root of the repository:

\`\`\`sh
./tidemark status                                                  # which service is not ready, and what it says is missing
./tidemark logs | grep -E '"level":"(warn|error|fatal)"' | tail -20    # what was complained about last
curl -s http://localhost:8001/pipelines                            # state, lag and books of every pipeline
\`\`\`

A **page** wakes somebody, a **ticket** waits for working hours. When several come at once, start with the one that is a
cause: a service that is down before a pipeline that stands still, a pipeline that stands still before an objective that
burns. Alertmanager holds the consequences of a known cause back.

The objectives behind the alerts are in [docs/slo.md](docs/slo.md), the metrics in [docs/metrics.md](docs/metrics.md), and how
rules, dashboards and this page are made in [observability/README.md](observability/README.md).

${sections.join('\n\n')}
`;
}

function row(specs: readonly AlertSpec[]): string {
  const [first] = specs;
  if (!first) return '';
  const severities = specs.map(({ severity }) => severity).join(', ');
  const provocation = 'do' in first.provocation ? first.provocation.do : `Not: ${first.provocation.none}`;
  const cells = [
    `[${first.name}](runbooks/${first.name}.md)`,
    severities,
    first.for ?? '–',
    first.impact,
    `${dashboardIds[first.place.dashboard]} › ${first.place.row}`,
    provocation,
  ];
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
