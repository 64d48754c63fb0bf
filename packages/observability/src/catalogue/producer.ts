import { type MetricDefinition, workBuckets } from './definition.ts';

/** Of the producer. */
export const producerMetrics = {
  events_produced_total: {
    kind: 'counter',
    unit: 'events',
    stability: 'stable',
    help: 'Events acknowledged by the broker.',
    labels: [],
  },
  produce_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    stability: 'developing',
    help: 'Time from sending a batch to its acknowledgement.',
    labels: [],
    buckets: workBuckets,
  },
  produce_errors_total: {
    kind: 'counter',
    unit: 'batches',
    stability: 'developing',
    help: 'Batches that the broker refused or never answered.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
