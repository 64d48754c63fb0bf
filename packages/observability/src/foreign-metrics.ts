import type { MetricDefinition } from './catalogue/definition.ts';

/** A metric that others emit, as far as rules and dashboards here use it. */
export interface ForeignMetric extends MetricDefinition {
  readonly source: 'node' | 'prometheus' | 'alertmanager' | 'blackbox exporter' | 'node exporter';
}

type Facts = readonly [
  source: ForeignMetric['source'],
  kind: MetricDefinition['kind'],
  unit: MetricDefinition['unit'],
  help: string,
  labels?: readonly string[],
];

const facts = {
  // prom-client, collectDefaultMetrics
  process_start_time_seconds: ['node', 'gauge', 'timestamp', 'When the process started.'],
  process_cpu_seconds_total: ['node', 'counter', 'seconds', 'Processor time of the process.'],
  process_resident_memory_bytes: ['node', 'gauge', 'bytes', 'Resident memory.'],
  process_open_fds: ['node', 'gauge', 'occurrences', 'Open file descriptors.'],
  process_max_fds: ['node', 'gauge', 'occurrences', 'File descriptors that may be open.'],
  nodejs_eventloop_lag_p99_seconds: ['node', 'gauge', 'seconds', 'Delay of the event loop, 99th percentile.'],
  nodejs_heap_size_used_bytes: ['node', 'gauge', 'bytes', 'Heap in use.'],
  nodejs_gc_duration_seconds: ['node', 'histogram', 'seconds', 'Garbage collection by kind.', ['kind']],

  // Prometheus about its targets and itself
  up: ['prometheus', 'gauge', 'state', '1 when the last scrape of the target succeeded.'],
  scrape_duration_seconds: ['prometheus', 'gauge', 'seconds', 'Duration of the last scrape.'],
  scrape_samples_scraped: ['prometheus', 'gauge', 'occurrences', 'Samples that the target exposed.'],
  ALERTS: ['prometheus', 'gauge', 'state', 'Alerts by state.', ['alertname', 'alertstate']],
  prometheus_config_last_reload_successful: [
    'prometheus',
    'gauge',
    'state',
    '1 when the last reload worked.',
  ],
  prometheus_rule_evaluation_failures_total: [
    'prometheus',
    'counter',
    'occurrences',
    'Rules that could not be evaluated.',
    ['rule_group'],
  ],
  prometheus_notifications_errors_total: [
    'prometheus',
    'counter',
    'occurrences',
    'Alerts that an Alertmanager did not take.',
    ['alertmanager'],
  ],
  prometheus_notifications_alertmanagers_discovered: [
    'prometheus',
    'gauge',
    'occurrences',
    'Alertmanagers that Prometheus knows.',
  ],
  prometheus_tsdb_head_series: ['prometheus', 'gauge', 'occurrences', 'Time series in memory.'],
  alertmanager_notifications_failed_total: [
    'alertmanager',
    'counter',
    'occurrences',
    'Notifications that a receiver did not take.',
    ['integration'],
  ],
  alertmanager_notifications_total: [
    'alertmanager',
    'counter',
    'occurrences',
    'Notifications sent.',
    ['integration'],
  ],

  // exporters
  probe_success: ['blackbox exporter', 'gauge', 'state', '1 when the probe succeeded.'],
  probe_duration_seconds: ['blackbox exporter', 'gauge', 'seconds', 'Duration of the probe.'],
  probe_ssl_earliest_cert_expiry: ['blackbox exporter', 'gauge', 'timestamp', 'End of the certificate.'],
  node_filesystem_avail_bytes: [
    'node exporter',
    'gauge',
    'bytes',
    'Room for unprivileged users.',
    ['device', 'fstype', 'mountpoint'],
  ],
  node_filesystem_size_bytes: [
    'node exporter',
    'gauge',
    'bytes',
    'Size of the file system.',
    ['device', 'fstype', 'mountpoint'],
  ],
  node_filesystem_readonly: [
    'node exporter',
    'gauge',
    'state',
    '1 when the file system takes no writes.',
    ['device', 'fstype', 'mountpoint'],
  ],
  node_timex_offset_seconds: ['node exporter', 'gauge', 'seconds', 'Offset of the clock from its reference.'],
  node_memory_MemAvailable_bytes: ['node exporter', 'gauge', 'bytes', 'Memory that programs can still get.'],
  node_cpu_seconds_total: ['node exporter', 'counter', 'seconds', 'Processor time.', ['cpu', 'mode']],
} as const satisfies Record<string, Facts>;

export type ForeignMetricName = keyof typeof facts;

/** What rules and dashboards may use beside our own catalogue. Names belong to those who emit them. */
export const foreignMetrics = Object.fromEntries(
  Object.entries<Facts>(facts).map(([name, [source, kind, unit, help, labels = []]]) => [
    name,
    { source, kind, unit, help, labels, stability: 'stable' },
  ]),
) as Readonly<Record<ForeignMetricName, ForeignMetric>>;
