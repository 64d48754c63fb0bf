import type { MetricDefinition } from './definition.ts';

/** Of every process. */
export const everyServiceMetrics = {
  scrape_collector_failures_total: {
    kind: 'counter',
    unit: 'occurrences',
    stability: 'developing',
    help: 'Times that a value could not be looked up for /metrics; the others are shown all the same.',
    labels: [],
  },
  nodejs_heap_limit_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    stability: 'developing',
    help: 'Heap size at which V8 ends the process.',
    labels: [],
  },
  db_pool_connections: {
    kind: 'gauge',
    unit: 'connections',
    stability: 'developing',
    help: 'Connections to the database by what they do: busy or idle.',
    labels: ['state'],
  },
  db_pool_limit_connections: {
    kind: 'gauge',
    unit: 'connections',
    stability: 'developing',
    help: 'Connections to the database that the process may open.',
    labels: [],
  },
  db_pool_waiting_statements: {
    kind: 'gauge',
    unit: 'statements',
    stability: 'developing',
    help: 'Work that waits for a connection to the database.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
