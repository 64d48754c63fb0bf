import { series } from '../promql/series.ts';
import type { AlertSpec } from './alert.ts';

const common = { service: 'capture', team: 'pipelines' } as const;
const mib = 1024 ** 2;
const gib = 1024 ** 3;

export const captureAlerts: readonly AlertSpec[] = [
  {
    ...common,
    name: 'CaptureDown',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => `${series('up', { job: 'capture' })} == 0`,
    for: '1m',
    summary: 'Capture at {{ $labels.instance }} has not answered a scrape for 1 minute (up is {{ $value }}).',
    impact: 'No change leaves the database, and its write-ahead log grows until capture is back.',
    place: { dashboard: 'flow', row: 'Capture' },
    provocation: {
      do: '`kill -STOP "$(./tidemark status --json | jq \'.services[] | select(.name == "capture").pid\')"`, later `kill -CONT`.',
    },
  },
  {
    ...common,
    name: 'ChangefeedFailed',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => `max by (changefeed) (${series('capture_state', { state: 'failed' })}) == 1`,
    for: '1m',
    summary:
      'Changefeed {{ $labels.changefeed }} has failed (state is {{ $value }}) and does not start again by itself.',
    impact: 'Its changes are not sent. Whether they can still be sent depends on the replication slot.',
    place: { dashboard: 'flow', row: 'Capture' },
    provocation: {
      do: "Stop capture, drop its slot with `SELECT pg_drop_replication_slot('tidemark_sre_cdc')`, start capture again. On a stack that may be thrown away only.",
    },
  },
  {
    ...common,
    name: 'ChangefeedInterrupted',
    severity: 'page',
    slo: 'heartbeat',
    expr: () => `max by (changefeed) (${series('capture_state', { state: 'warning' })}) == 1`,
    for: '3m',
    summary:
      'Changefeed {{ $labels.changefeed }} has been interrupted for 3 minutes (state warning is {{ $value }}).',
    impact: 'Changes wait in the database; they are sent late, none is lost.',
    place: { dashboard: 'flow', row: 'Capture' },
    provocation: { do: '`kill -STOP` the broker for four minutes, then `kill -CONT`.' },
  },
  {
    ...common,
    name: 'CaptureLagHigh',
    severity: 'page',
    slo: 'freshness',
    expr: () => `max by (changefeed) (${series('capture_lag_seconds')}) > 60`,
    for: '2m',
    summary: 'Changefeed {{ $labels.changefeed }} is {{ $value | humanizeDuration }} behind the database.',
    impact: 'Search, live feed and webhooks show the past.',
    place: { dashboard: 'flow', row: 'Capture' },
    provocation: { do: '`kill -STOP` the broker for four minutes while rows are written.' },
  },
  {
    ...common,
    name: 'CheckpointNotAdvancing',
    severity: 'page',
    slo: 'freshness',
    expr: t => {
      const window = t.window('5m');
      return [
        `max by (changefeed) (min_over_time(${series('capture_lag_bytes')}[${window}])) > ${mib}`,
        `and on (changefeed) sum by (changefeed) (increase(${series('capture_transactions_total')}[${window}])) == 0`,
      ].join('\n');
    },
    for: '2m',
    summary:
      'Changefeed {{ $labels.changefeed }} has acknowledged nothing for 7 minutes, with {{ $value | humanize1024 }}B of log before it.',
    impact: 'The source writes, and nothing of it arrives. The log is kept until it does.',
    place: { dashboard: 'flow', row: 'Capture' },
    provocation: {
      do: '`kill -STOP` the broker for eight minutes while pgbench writes to a captured table.',
    },
  },
  {
    ...common,
    name: 'SlotInactive',
    severity: 'page',
    expr: () => `max by (slot) (${series('capture_slot_active_state')}) == 0`,
    for: '3m',
    summary:
      'Nobody has streamed replication slot {{ $labels.slot }} for 3 minutes (active is {{ $value }}).',
    impact: 'The database keeps its log for it. Without a limit its disk fills, with one the slot is lost.',
    place: { dashboard: 'stores', row: 'Replication slots' },
    provocation: { do: '`curl -X POST localhost:8300/api/v2/changefeeds/sre-cdc/pause`, later `/resume`.' },
  },
  {
    ...common,
    name: 'SlotWalExhaustion',
    severity: 'page',
    expr: t =>
      `min by (slot) (predict_linear(${series('capture_slot_safe_bytes')}[${t.window('30m')}], ${t.seconds('4h')})) < 0`,
    for: '5m',
    summary:
      'At the pace of the last half hour replication slot {{ $labels.slot }} will be {{ $value | humanize1024 }}B over its limit in 4 hours.',
    impact: 'The database then drops log that capture still needs, and changes are lost for good.',
    place: { dashboard: 'stores', row: 'Replication slots' },
    provocation: {
      do: 'Pause the changefeed and write with `pgbench -n -T 2400`; the embedded PostgreSQL keeps 4 GB for a slot.',
    },
  },
  {
    ...common,
    name: 'SlotRetainsMuch',
    severity: 'ticket',
    expr: () => `max by (slot) (${series('capture_slot_retained_bytes')}) > ${2 * gib}`,
    for: '10m',
    summary:
      'The database keeps {{ $value | humanize1024 }}B of log for replication slot {{ $labels.slot }}.',
    impact: 'Disk of the database is used up; a restart of capture has that much to read.',
    place: { dashboard: 'stores', row: 'Replication slots' },
    provocation: { do: 'Pause the changefeed and write more than 2 GB of rows with pgbench.' },
  },
  {
    ...common,
    name: 'SlotLost',
    severity: 'page',
    expr: () =>
      `max by (slot, state) (${series('capture_slot_wal_state', { state: '=~unreserved|lost' })}) == 1`,
    summary:
      'The log that replication slot {{ $labels.slot }} needs is {{ $labels.state }} ({{ $value }} slot).',
    impact: 'Changes are missing or about to be: the tables have to be copied anew.',
    place: { dashboard: 'stores', row: 'Replication slots' },
    provocation: {
      do: "`ALTER SYSTEM SET max_slot_wal_keep_size = '64MB'`, reload, pause the changefeed, write 200 MB, `CHECKPOINT`.",
    },
  },
];
