import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';

const common = { service: 'broker', team: 'platform' } as const;

export const brokerAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'BrokerDown',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => `${series('up', { job: 'broker' })} == 0`,
    for: '1m',
    summary:
      'The broker at {{ $labels.instance }} has not answered a scrape for 1 minute (up is {{ $value }}).',
    impact: 'Nothing moves: changes wait in the database, reviews are refused with 503.',
    place: { dashboard: 'stores', row: 'Broker' },
    provocation: {
      do: '`kill -STOP "$(./tidemark status --json | jq \'.services[] | select(.name == "broker").pid\')"`, later `kill -CONT`.',
    },
  },
  {
    ...common,
    name: 'BrokerStorageErrors',
    severity: 'page',
    slo: 'heartbeat',
    expr: t =>
      `sum by (api) (increase(${series('broker_requests_total', { error: '=~kafkaStorageError|unknownServerError' })}[${t.window('5m')}])) >= 3`,
    keepFiringFor: '5m',
    summary:
      'The broker failed {{ $value | humanize }} {{ $labels.api }} requests in 5 minutes by its own fault.',
    impact: 'What is produced is not stored; producers keep it and try again until they give up.',
    place: { dashboard: 'stores', row: 'Broker' },
    provocation: {
      do: 'Run the broker on a data folder of its own that a tmpfs of 64 MB holds, and fill it.',
    },
  },
  {
    ...common,
    name: 'BrokerProduceSlow',
    severity: 'ticket',
    slo: 'freshness',
    expr: t =>
      `histogram_quantile(0.99, sum by (le, api) (rate(${series('broker_request_duration_seconds_bucket', { api: 'Produce' })}[${t.window('5m')}]))) > 0.5`,
    for: '5m',
    keepFiringFor: '5m',
    summary: 'Appending to the log takes {{ $value | humanizeDuration }} at the 99th percentile.',
    impact: 'Every change and every event is late by that much.',
    place: { dashboard: 'stores', row: 'Broker' },
    provocation: {
      do: 'Start the broker with `--fsync=group` on a busy disk: `dd if=/dev/zero of=fill bs=1M count=20000 oflag=direct` beside it.',
    },
  },
  {
    ...common,
    name: 'ProduceErrors',
    service: 'producer',
    severity: 'ticket',
    expr: t => `sum by (job) (increase(${series('produce_errors_total')}[${t.window('5m')}])) >= 3`,
    for: '1m',
    summary: 'The producer could not send {{ $value | humanize }} batches in 5 minutes.',
    impact: 'Synthetic load is missing; whatever made it fail meets other producers as well.',
    place: { dashboard: 'flow', row: 'Producer' },
    provocation: {
      do: 'Start steady production with `/start-background`, then `kill -STOP` the broker for two minutes.',
    },
  },
];
