import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';
import { inState } from './pipeline-state.ts';

const common = { service: 'consumer', team: 'pipelines' } as const;
const dealtWith = series('events_processed_total', { result: '!=fail' });

/** What becomes of events, and how each pipeline is. */
export const pipelineAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'ConsumerDown',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => `${series('up', { job: 'consumer' })} == 0`,
    for: '1m',
    summary:
      'The consumer at {{ $labels.instance }} has not answered a scrape for 1 minute (up is {{ $value }}).',
    impact: 'Changes and events wait in the broker; search and reviews show the past.',
    place: { dashboard: 'consumer', row: 'Verdict' },
    provocation: {
      do: '`kill -STOP "$(./tidemark status --json | jq \'.services[] | select(.name == "consumer").pid\')"`, later `kill -CONT`.',
    },
  },
  {
    ...common,
    name: 'PipelineWaiting',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => inState('waiting'),
    for: '2m',
    summary:
      'Pipeline {{ $labels.pipeline }} has waited for its sink for 2 minutes (waiting is {{ $value }}).',
    impact:
      'Its events wait in the broker. Nothing is dead-lettered, and it goes on by itself when the sink is back.',
    place: { dashboard: 'consumer', row: 'Verdict' },
    provocation: { do: '`kill -STOP` the processes of PostgreSQL for three minutes, then `kill -CONT`.' },
  },
  {
    ...common,
    name: 'PipelinePaused',
    severity: 'ticket',
    expr: () => inState('paused'),
    for: '30m',
    summary: 'Pipeline {{ $labels.pipeline }} has been paused for half an hour (paused is {{ $value }}).',
    impact: 'Somebody may have forgotten it; its lag grows until it is resumed.',
    place: { dashboard: 'consumer', row: 'Verdict' },
    provocation: { do: '`curl -X POST localhost:8001/pipelines/changes-to-log/pause`, later `/resume`.' },
  },
  {
    ...common,
    name: 'DeadLetterInflow',
    severity: 'ticket',
    expr: t =>
      `sum by (pipeline) (increase(${series('events_processed_total', { result: 'dlq' })}[${t.window('10m')}])) > 0`,
    for: '1m',
    summary:
      '{{ $value | humanize }} events of pipeline {{ $labels.pipeline }} were dead-lettered in 10 minutes.',
    impact: 'These events have no effect until somebody corrects, replays or discards them.',
    place: { dashboard: 'consumer', row: 'Dead letters' },
    provocation: {
      do: '`curl -X POST localhost:8000/events -H "Content-Type: application/json" -d \'{"rating": 9}\'`',
    },
  },
  {
    ...common,
    name: 'DeadLetterRatioHigh',
    severity: 'page',
    slo: 'completeness',
    expr: t => {
      const window = t.window('10m');
      const sum = (of: string) => `sum by (pipeline) (increase(${of}[${window}]))`;
      const dead = sum(series('events_processed_total', { result: 'dlq' }));
      return `${dead} / ${sum(dealtWith)} > 0.01\nand ${dead} > 10`;
    },
    for: '2m',
    summary:
      '{{ $value | humanizePercentage }} of the events of pipeline {{ $labels.pipeline }} are dead-lettered.',
    impact: 'Something breaks events in numbers: a release of the sender, or a change of the schema.',
    place: { dashboard: 'consumer', row: 'Dead letters' },
    provocation: {
      do: '`POST localhost:8000/start-background` with `{"poisonPct": 10, "ratePerSec": 20, "durationMs": 300000}`.',
    },
  },
  {
    ...common,
    name: 'LedgerUnaccounted',
    severity: 'page',
    slo: 'correctness',
    expr: () => `max by (pipeline) (abs(${series('pipeline_unaccounted_events')})) > 0`,
    for: '1m',
    summary: 'The books of pipeline {{ $labels.pipeline }} are off by {{ $value }} events.',
    impact: 'Events may be lost or counted twice. Nothing else would say so.',
    place: { dashboard: 'consumer', row: 'Verdict' },
    provocation: {
      none: 'It takes a defect in the engine. The simulation (`npm run sim`) and the unit tests of the ledger break it on purpose.',
    },
  },
  {
    ...common,
    name: 'ProcessingErrorsHigh',
    severity: 'ticket',
    expr: t => {
      const window = t.window('5m');
      const sum = (of: string) => `sum by (pipeline) (increase(${of}[${window}]))`;
      const failed = sum(series('events_processed_total', { result: 'fail' }));
      return `${failed} / (${failed} + ${sum(series('processing_duration_seconds_count'))}) > 0.05\nand ${failed} >= 5`;
    },
    for: '5m',
    keepFiringFor: '5m',
    summary:
      '{{ $value | humanizePercentage }} of the deliveries of pipeline {{ $labels.pipeline }} fail and are tried again.',
    impact: 'Work is slower than it could be; events that fail every attempt become dead letters.',
    place: { dashboard: 'consumer', row: 'Deliveries' },
    provocation: {
      do: 'Hold a lock on `reviews` for 20 s of every minute while events are sent: deliveries run into the lock timeout.',
    },
  },
];
