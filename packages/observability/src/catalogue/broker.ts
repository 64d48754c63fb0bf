import { type MetricDefinition, workBuckets } from './definition.ts';

/** Of the embedded broker. */
export const brokerMetrics = {
  broker_requests_total: {
    kind: 'counter',
    unit: 'requests',
    stability: 'developing',
    help: 'Requests answered.',
    labels: ['api', 'error'],
  },
  broker_request_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    stability: 'developing',
    help: 'Time from a parsed request to its queued response.',
    labels: ['api'],
    buckets: workBuckets,
  },
  broker_bytes_total: {
    kind: 'counter',
    unit: 'bytes',
    stability: 'developing',
    help: 'Bytes over the wire.',
    labels: ['direction'],
  },
  broker_records_total: {
    kind: 'counter',
    unit: 'records',
    stability: 'developing',
    help: 'Records appended.',
    labels: ['topic'],
  },
  broker_connections: {
    kind: 'gauge',
    unit: 'connections',
    stability: 'developing',
    help: 'Open client connections.',
    labels: [],
  },
  broker_log_end_offset: {
    kind: 'gauge',
    unit: 'offset',
    stability: 'developing',
    help: 'Next offset to be written.',
    labels: ['topic', 'partition'],
  },
  broker_log_size_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    stability: 'developing',
    help: 'Bytes kept on disk.',
    labels: ['topic', 'partition'],
  },
  broker_group_members: {
    kind: 'gauge',
    unit: 'members',
    stability: 'developing',
    help: 'Members of a consumer group.',
    labels: ['group'],
  },
} as const satisfies Record<string, MetricDefinition>;
