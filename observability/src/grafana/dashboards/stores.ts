import { series } from '../../promql/series.ts';
import type { Dashboard } from '../dashboard.ts';
import { chosen, jobVariable, mountVariable, perSecond, quantile, topicVariable } from './variables.ts';

const job = { job: chosen('job') };
const disk = { mountpoint: chosen('mountpoint'), fstype: '!~tmpfs|overlay|squashfs|ramfs' };

export const storesDashboard: Dashboard = {
  key: 'stores',
  title: 'Stores',
  description: 'Where data rests: PostgreSQL and its replication slots, the broker, disks.',
  variables: [jobVariable, topicVariable, mountVariable],
  rows: [
    {
      title: 'PostgreSQL',
      panels: [
        {
          type: 'timeseries',
          title: 'Statements, p95',
          description: 'Time of the statements of the pipelines, by name. The line is the alert.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: quantile(0.95, series('db_query_duration_seconds_bucket'), 'query'),
              legend: '{{query}}',
            },
          ],
          thresholds: [{ value: 0.5, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'Connections',
          description: 'Connections of each service, busy and idle, and how many it may open.',
          unit: 'short',
          width: 6,
          queries: [
            {
              expr: `sum by (job, state) (${series('db_pool_connections', job)})`,
              legend: '{{job}} {{state}}',
            },
            { expr: `sum by (job) (${series('db_pool_limit_connections', job)})`, legend: '{{job}} limit' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Waiting for a connection',
          description: 'Work that cannot begin because every connection is busy.',
          unit: 'short',
          width: 6,
          queries: [
            { expr: `sum by (job) (${series('db_pool_waiting_statements', job)})`, legend: '{{job}}' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Ids of processed events',
          description:
            'Days of ids that are kept, ids forgotten in an hour, and times that forgetting failed.',
          unit: 'short',
          width: 12,
          queries: [
            { expr: `max(${series('processed_events_partitions')})`, legend: 'days' },
            { expr: `sum(increase(${series('processed_events_forgotten_total')}[1h]))`, legend: 'forgotten' },
            {
              expr: `sum(increase(${series('processed_events_retention_failures_total')}[1h]))`,
              legend: 'failures',
            },
          ],
        },
        {
          type: 'stat',
          title: 'Retention of ids',
          description: 'How long ago the ids of old events were last forgotten.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `time() - max(${series('processed_events_retained_timestamp_seconds')} > 0)`,
              legend: 'ago',
            },
          ],
        },
      ],
    },
    {
      title: 'Replication slots',
      panels: [
        {
          type: 'timeseries',
          title: 'Kept for slots',
          description: 'Write-ahead log that the database keeps for each slot.',
          unit: 'bytes',
          width: 6,
          queries: [
            { expr: series('capture_slot_retained_bytes'), legend: '{{slot}}' },
            { expr: series('capture_retained_wal_bytes'), legend: '{{changefeed}}, its own source' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Room before a slot is lost',
          description: 'Log that may still be written. At 0 the slot loses what it needs.',
          unit: 'bytes',
          width: 6,
          queries: [
            { expr: series('capture_slot_safe_bytes'), legend: '{{slot}}' },
            { expr: series('capture_safe_wal_bytes'), legend: '{{changefeed}}, its own source' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Slots in use',
          description: '1 while somebody streams the slot; and the state of its log.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: series('capture_slot_active_state'), legend: '{{slot}} active' },
            { expr: `${series('capture_slot_wal_state')} == 1`, legend: '{{slot}} {{state}}' },
            { expr: `${series('capture_wal_state')} == 1`, legend: '{{changefeed}} {{state}}' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Large transactions',
          description:
            'What capture keeps on disk of transactions that have not committed, and what it put there.',
          unit: 'bytes',
          width: 6,
          queries: [
            { expr: series('capture_spool_bytes'), legend: '{{changefeed}}' },
            {
              expr: `sum by (changefeed) (increase(${series('capture_spooled_bytes_total')}[1h]))`,
              legend: '{{changefeed}}, put there in an hour',
            },
          ],
        },
      ],
    },
    {
      title: 'Broker',
      panels: [
        {
          type: 'timeseries',
          title: 'Requests',
          description: 'Requests answered, by kind.',
          unit: 'reqps',
          width: 6,
          queries: [
            { expr: `sum by (api) (${perSecond(series('broker_requests_total'))})`, legend: '{{api}}' },
          ],
        },
        {
          type: 'timeseries',
          title: 'Requests that failed',
          description: 'By kind and error. Many errors are part of the protocol, as rebalances are.',
          unit: 'reqps',
          width: 6,
          queries: [
            {
              expr: `sum by (api, error) (${perSecond(series('broker_requests_total', { error: '!=none' }))})`,
              legend: '{{api}} {{error}}',
              emptyWhenHealthy: true,
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Produce, time',
          description: 'From a parsed request to its queued answer. The line is the alert.',
          unit: 's',
          width: 6,
          queries: [0.5, 0.99].map(q => ({
            expr: quantile(q, series('broker_request_duration_seconds_bucket', { api: 'Produce' })),
            legend: `p${q * 100}`,
          })),
          thresholds: [{ value: 0.5, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'Over the wire',
          description: 'Bytes in and out.',
          unit: 'Bps',
          queries: [
            {
              expr: `sum by (direction) (${perSecond(series('broker_bytes_total'))})`,
              legend: '{{direction}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Connections of clients',
          description: 'Open connections.',
          unit: 'short',
          queries: [{ expr: `sum(${series('broker_connections')})`, legend: 'connections' }],
        },
        {
          type: 'timeseries',
          title: 'Log on disk',
          description: 'Bytes kept for each topic.',
          unit: 'bytes',
          queries: [
            {
              expr: `sum by (topic) (${series('broker_log_size_bytes', { topic: chosen('topic') })})`,
              legend: '{{topic}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Disks',
      panels: [
        {
          type: 'timeseries',
          title: 'Room left',
          description: 'Share of each disk that is left. Needs the node exporter.',
          unit: 'percentunit',
          width: 9,
          queries: [
            {
              expr: `min by (instance, mountpoint) (${series('node_filesystem_avail_bytes', disk)} / ${series('node_filesystem_size_bytes', disk)})`,
              legend: '{{instance}} {{mountpoint}}',
            },
          ],
          thresholds: [{ value: 0.05, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'Bytes left',
          description: 'What that share is.',
          unit: 'bytes',
          width: 9,
          queries: [
            {
              expr: `min by (instance, mountpoint) (${series('node_filesystem_avail_bytes', disk)})`,
              legend: '{{instance}} {{mountpoint}}',
            },
          ],
        },
      ],
    },
  ],
};
