import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';

const common = { service: '{{ $labels.job }}', team: 'platform' } as const;
const byProcess = 'by (job, instance)';

export const runtimeAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'EventLoopBlocked',
    severity: 'ticket',
    expr: () => `max ${byProcess} (${series('nodejs_eventloop_lag_p99_seconds')}) > 0.25`,
    for: '5m',
    keepFiringFor: '5m',
    summary:
      'The event loop of {{ $labels.job }} is held up for {{ $value | humanizeDuration }} at the 99th percentile.',
    impact: 'Everything in that process is late; past the session time-out a consumer loses its partitions.',
    place: { dashboard: 'telemetry', row: 'Processes' },
    provocation: {
      do: 'Take the processor away: `for i in 1 2 3 4; do timeout 400 sh -c "while :; do :; done" & done`, with load on the stack.',
    },
  },
  {
    ...common,
    name: 'CrashLoop',
    severity: 'page',
    expr: t => `max ${byProcess} (changes(${series('process_start_time_seconds')}[${t.window('15m')}])) > 2`,
    summary: '{{ $labels.job }} has been started {{ $value }} times again within 15 minutes.',
    impact: 'The service works in pieces; what it was doing is done again after every start.',
    place: { dashboard: 'telemetry', row: 'Processes' },
    provocation: {
      do: '`kill -9` a service three times, a minute apart: the supervisor starts it again each time.',
    },
  },
  {
    ...common,
    name: 'HeapTrend',
    severity: 'ticket',
    expr: t => {
      const window = t.window('1h');
      const used = series('nodejs_heap_size_used_bytes');
      return `max ${byProcess} (predict_linear(${used}[${window}], ${t.seconds('1h')})) > max ${byProcess} (${series('nodejs_heap_limit_bytes')})`;
    },
    for: '10m',
    summary:
      'The heap of {{ $labels.job }} will hold {{ $value | humanize1024 }}B in an hour, which is more than it may.',
    impact: 'V8 ends the process then; it is started again and repeats what was not confirmed.',
    place: { dashboard: 'telemetry', row: 'Processes' },
    provocation: {
      do: 'Start a service with `NODE_OPTIONS=--max-old-space-size=64` and give it the load that leaks.',
    },
  },
  {
    ...common,
    name: 'FileDescriptorsRunOut',
    severity: 'ticket',
    expr: () => `max ${byProcess} (${series('process_open_fds')} / ${series('process_max_fds')}) > 0.8`,
    for: '5m',
    summary: '{{ $labels.job }} uses {{ $value | humanizePercentage }} of its file descriptors.',
    impact: 'Once they are used up it takes no connection and opens no file.',
    place: { dashboard: 'telemetry', row: 'Processes' },
    provocation: { do: 'Start a service under `ulimit -n 64` and open forty connections to it.' },
  },
  {
    ...common,
    name: 'DbPoolExhausted',
    severity: 'ticket',
    expr: t =>
      [
        `max ${byProcess} (min_over_time(${series('db_pool_waiting_statements')}[${t.window('1m')}])) > 0`,
        `and max ${byProcess} (${series('db_pool_connections', { state: 'busy' })}) >= max ${byProcess} (${series('db_pool_limit_connections')})`,
      ].join('\n'),
    for: '2m',
    keepFiringFor: '5m',
    summary:
      'At least {{ $value }} statements of {{ $labels.job }} have waited for a connection at every look for 3 minutes.',
    impact: 'Requests and deliveries wait for a connection before they begin.',
    place: { dashboard: 'stores', row: 'PostgreSQL' },
    provocation: {
      do: 'Start the api with `DATABASE_POOL_MAX=1`, lock `users` in psql, and send ten requests for users.',
    },
  },
  {
    ...common,
    name: 'DatabaseSlow',
    service: 'consumer',
    team: 'pipelines',
    severity: 'ticket',
    expr: t =>
      `histogram_quantile(0.95, sum by (le, query) (rate(${series('db_query_duration_seconds_bucket')}[${t.window('5m')}]))) > 0.5`,
    for: '10m',
    keepFiringFor: '5m',
    summary: 'Statement {{ $labels.query }} takes {{ $value | humanizeDuration }} at the 95th percentile.',
    impact: 'The pipeline that runs it is slower than its batches allow; lag follows.',
    place: { dashboard: 'stores', row: 'PostgreSQL' },
    provocation: {
      do: 'A trigger that sleeps: `CREATE FUNCTION slow() … PERFORM pg_sleep(0.001); RETURN NEW; …` on `reviews`, under load.',
    },
  },
  {
    ...common,
    name: 'ScrapeCollectorsFail',
    severity: 'ticket',
    expr: t =>
      `sum ${byProcess} (increase(${series('scrape_collector_failures_total')}[${t.window('10m')}])) > 3`,
    for: '5m',
    summary:
      '{{ $labels.job }} could not look up its own figures {{ $value | humanize }} times in 10 minutes.',
    impact: 'Gauges are missing, and alerts that read them are blind.',
    place: { dashboard: 'telemetry', row: 'Scrapes' },
    provocation: { do: '`kill -STOP` PostgreSQL for ten minutes: capture cannot ask for its slots.' },
  },
];
