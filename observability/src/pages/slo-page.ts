import { durationOf, secondsOf } from '../promql/duration.ts';
import { burnPairs, type Slo } from '../slo.ts';
import { burnThreshold } from '../slo-checks.ts';
import { pageMark } from './page-mark.ts';

/** docs/slo.md: what is promised, how it is counted, and when somebody is told. */
export function sloPage(slos: readonly Slo[]): string {
  return `${pageMark('observability/src/slos.ts')}
# Service level objectives

| objective | target | budget in ${slos[0]?.period ?? '30d'} | alert |
|---|---|---|---|
${slos.map(overviewRow).join('\n')}

## How a budget is spent

The budget is the share of bad events that the target leaves. An alert compares the error ratio of two windows with the
ratio that would use up the budget too fast. The long window says that it matters, the short one that it is still going
on, so an alert ends soon after its cause. Each pair also needs a number of bad events in its long window: one error of
twenty requests in a quiet night is a ratio of 5 %, and no incident.

| | factor | windows | the budget is gone after |
|---|---|---|---|
${burnPairs.map(pairRow).join('\n')}

Numerators (\`slo:bad_events:increase…\`) and denominators (\`slo:valid_events:increase…\`) are recorded for every window, and
ratios are made of them last (\`slo:error_ratio:increase…\`), so a busy day weighs more than a quiet night. An objective over
several pipelines weighs their events by \`slo:pipeline_weight\`. Nothing valid means no ratio, not a ratio of 0.

\`node observability/src/main.ts --out DIR --scale 60 --drill NAME\` writes the same rules with all times divided by 60, so that
a drill sees in a minute what takes an hour in earnest.

${slos.map(section).join('\n\n')}
`;
}

const percent = (share: number) => `${Number((share * 100).toPrecision(8))} %`;

function overviewRow(slo: Slo): string {
  return `| [${slo.title}](#${slo.name}) | ${percent(slo.objective)} | ${budget(slo)} | [${slo.alert}](../runbooks/${slo.alert}.md) |`;
}

function budget({ indicator, objective, period }: Slo): string {
  if (indicator.kind === 'events') return `1 of ${Math.round(1 / (1 - objective))} ${indicator.unit}`;
  return durationText((1 - objective) * secondsOf(period));
}

function durationText(seconds: number): string {
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds)} seconds`;
}

function pairRow({ severity, factor, long, short }: (typeof burnPairs)[number]): string {
  const gone = secondsOf('30d') / factor;
  const rounded = Math.round(gone / 3600);
  return `| ${severity} | ${factor} | ${long} and ${short} | ${durationOf(rounded * 3600)} |`;
}

function section(slo: Slo): string {
  const thresholds = burnPairs.map(
    ({ severity, factor, long, short }) =>
      `${severity} above ${percent(burnThreshold(slo, factor))} in ${long} and ${short}`,
  );
  const counted =
    slo.indicator.kind === 'slices'
      ? `\n\`\`\`promql\n# 1 in a good slice of time\n${slo.indicator.good}\n\`\`\``
      : `\n\`\`\`promql\n# valid\n${slo.indicator.valid('1h')}\n# ${'good' in slo.indicator ? 'good' : 'bad'}\n${'good' in slo.indicator ? slo.indicator.good('1h') : slo.indicator.bad('1h')}\n\`\`\``;
  const weights = slo.weights
    ? `\n\nWeights: ${Object.entries(slo.weights)
        .map(([pipeline, weight]) => `${pipeline} ${weight}`)
        .join(', ')}.`
    : '';
  return `<a id="${slo.name}"></a>

## ${slo.title}: ${percent(slo.objective)}

${slo.promise} ${slo.definition}
${counted}${weights}

Alerts: ${thresholds.join('; ')}; each with at least ${slo.badEventsMin} bad ${slo.indicator.kind === 'slices' ? 'slices' : 'events'} in its long window.

To see it burn: ${slo.provocation}`;
}
