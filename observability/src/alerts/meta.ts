import { errorRatio, validEvents } from '../prometheus/slo-rules.ts';
import { recorded, series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';

const common = { service: 'monitoring', team: 'platform' } as const;
/** Services whose silence has an alert of its own. */
const ownAlert = 'api|capture|consumer|broker';

export const metaAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'Watchdog',
    severity: 'heartbeat',
    expr: () => 'vector(1)',
    summary: 'The path of alerts works (always {{ $value }}).',
    impact: 'None. It is its absence that means something: nobody would hear of an incident.',
    place: { dashboard: 'telemetry', row: 'Alert path' },
    provocation: { do: 'It always fires; stop Alertmanager, and the independent receiver misses it.' },
  },
  {
    ...common,
    name: 'TargetDown',
    severity: 'ticket',
    expr: () => `max by (job, instance) (${series('up', { job: `!~${ownAlert}` })}) == 0`,
    for: '2m',
    summary:
      '{{ $labels.job }} at {{ $labels.instance }} has not answered a scrape for 2 minutes (up is {{ $value }}).',
    impact: 'Whatever it would tell is unknown; alerts over it are silent.',
    place: { dashboard: 'telemetry', row: 'Scrapes' },
    provocation: { do: 'Stop the console: `kill -STOP` its process for three minutes.' },
  },
  {
    ...common,
    name: 'SliMetricAbsent',
    severity: 'ticket',
    expr: t =>
      [
        `absent_over_time(${series('http_request_duration_seconds_count', { job: 'api' })}[${t.window('10m')}]) and on () ${series('up', { job: 'api' })} == 1`,
        `or absent_over_time(${series('events_processed_total', { job: 'consumer' })}[${t.window('10m')}]) and on () ${series('up', { job: 'consumer' })} == 1`,
        `or absent_over_time(${series('capture_state', { job: 'capture' })}[${t.window('10m')}]) and on () ${series('up', { job: 'capture' })} == 1`,
        `or absent_over_time(${recorded('slo:slice_good', { slo: 'heartbeat' })}[${t.window('10m')}])`,
      ].join('\n'),
    for: '5m',
    summary:
      'A figure that objectives are made of has been missing for 15 minutes at {{ $labels.job }}{{ $labels.slo }} (absent is {{ $value }}).',
    impact: 'The budget stands still whatever happens, and its alerts are silent.',
    place: { dashboard: 'telemetry', row: 'SLI health' },
    provocation: {
      do: 'Remove the rule files from Prometheus and reload it, or start the consumer with no pipeline.',
    },
  },
  {
    ...common,
    name: 'SliImplausible',
    severity: 'ticket',
    expr: () =>
      [
        `max by (slo) (${errorRatio('1h')}) > 1.01`,
        `or max by (slo) (${errorRatio('1h')}) < 0`,
        `or min by (slo) (${validEvents('1h')}) < 0`,
      ].join('\n'),
    for: '5m',
    summary:
      'The figures of objective {{ $labels.slo }} contradict themselves ({{ $value | humanize }} bad per valid event).',
    impact: 'A budget that is computed from them is wrong in either direction.',
    place: { dashboard: 'telemetry', row: 'SLI health' },
    provocation: { none: 'It takes a mistake in a rule; the unit test feeds it contradicting figures.' },
  },
  {
    ...common,
    name: 'RuleEvaluationFails',
    severity: 'page',
    expr: t =>
      `sum by (instance, rule_group) (increase(${series('prometheus_rule_evaluation_failures_total')}[${t.window('5m')}])) > 0`,
    for: '2m',
    summary:
      'Prometheus could not evaluate {{ $value | humanize }} rules of {{ $labels.rule_group }} in 5 minutes.',
    impact: 'The alerts of that group do not fire.',
    place: { dashboard: 'telemetry', row: 'Alert path' },
    provocation: {
      do: 'Run a second consumer with another `METRICS_ADDR` and the same pipelines as a further target: joins then find two matches.',
    },
  },
  {
    ...common,
    name: 'ConfigReloadFailed',
    severity: 'ticket',
    expr: () => `max by (instance) (${series('prometheus_config_last_reload_successful')}) == 0`,
    for: '5m',
    summary:
      'Prometheus at {{ $labels.instance }} runs on an old configuration (last reload successful is {{ $value }}).',
    impact: 'Rules that were changed since are not in force.',
    place: { dashboard: 'telemetry', row: 'Alert path' },
    provocation: { do: 'Break `prometheus.yml` in a copy, and `kill -HUP` the Prometheus that reads it.' },
  },
  {
    ...common,
    name: 'NotificationsFail',
    severity: 'page',
    expr: t =>
      [
        `sum by (job, instance) (increase(${series('alertmanager_notifications_failed_total')}[${t.window('5m')}])) > 0`,
        `or sum by (job, instance) (increase(${series('prometheus_notifications_errors_total')}[${t.window('5m')}])) > 0`,
        `or max by (job, instance) (${series('prometheus_notifications_alertmanagers_discovered')} < 1) + 1`,
      ].join('\n'),
    for: '2m',
    summary:
      '{{ $labels.job }} at {{ $labels.instance }} failed to hand on alerts ({{ $value | humanize }} in 5 minutes).',
    impact: 'People are not told of incidents. The receiver of the watchdog is the only one that can notice.',
    place: { dashboard: 'telemetry', row: 'Alert path' },
    provocation: { do: 'Stop the webhook receiver while an alert fires.' },
  },
];
