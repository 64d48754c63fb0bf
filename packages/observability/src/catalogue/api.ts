import { httpBuckets, type MetricDefinition } from './definition.ts';

/** Of the api. */
export const apiMetrics = {
  http_request_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    stability: 'stable',
    help: 'Time to answer an HTTP request.',
    labels: ['method', 'route', 'status_code'],
    buckets: httpBuckets,
  },
  sse_clients: {
    kind: 'gauge',
    unit: 'connections',
    stability: 'developing',
    help: 'Browsers following the live feed of changes.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
