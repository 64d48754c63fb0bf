/** What kind of instrument a metric is. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds in the metric's unit; histograms only. */
  readonly buckets?: readonly number[];
}

/** Seconds; the buckets that people's dashboards for web services already assume. */
export const httpBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** Seconds; fine enough to see a batch of a few milliseconds, wide enough for an outage. */
export const workBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

/**
 * Every metric of every service, declared once: registries, documentation and tests derive from it. The names that
 * existing dashboards know are kept as they are; new ones follow the Prometheus conventions (base units, `_total`).
 */
export const metricCatalogue = {
  // every service
  scrape_collector_failures_total: {
    kind: 'counter',
    help: 'Times that a value could not be looked up for /metrics; the others are shown all the same.',
    labels: [],
  },

  // api
  http_request_duration_seconds: {
    kind: 'histogram',
    help: 'Time to answer an HTTP request.',
    labels: ['method', 'route', 'status_code'],
    buckets: httpBuckets,
  },
  sse_clients: { kind: 'gauge', help: 'Browsers following the live feed of changes.', labels: [] },

  // capture
  capture_changes_total: {
    kind: 'counter',
    help: 'Row changes acknowledged by the broker.',
    labels: ['changefeed', 'table', 'op'],
  },
  capture_transactions_total: {
    kind: 'counter',
    help: 'Database transactions captured whole.',
    labels: ['changefeed'],
  },
  capture_lag_seconds: {
    kind: 'gauge',
    help: 'Age of the newest acknowledged commit, or of the end of the log that is not read yet, when something is waiting; 0 when nothing is.',
    labels: ['changefeed'],
  },
  capture_lag_bytes: {
    kind: 'gauge',
    help: 'Bytes of write-ahead log between the database and the confirmed position.',
    labels: ['changefeed'],
  },
  capture_retained_wal_bytes: {
    kind: 'gauge',
    help: 'Bytes of write-ahead log that the replication slot keeps the server from removing.',
    labels: ['changefeed'],
  },
  capture_safe_wal_bytes: {
    kind: 'gauge',
    help: 'Bytes that may still be written before the server gives the slot up; absent when there is no limit.',
    labels: ['changefeed'],
  },
  capture_wal_state: {
    kind: 'gauge',
    help: '1 for the wal_status of the replication slot: reserved, extended, unreserved or lost.',
    labels: ['changefeed', 'state'],
  },
  capture_commit_to_ack_seconds: {
    kind: 'histogram',
    help: 'Time from a commit in the database to its acknowledgement by the broker.',
    labels: ['changefeed'],
    buckets: workBuckets,
  },
  capture_state: {
    kind: 'gauge',
    help: '1 for the state that the changefeed is in.',
    labels: ['changefeed', 'state'],
  },

  // broker
  broker_requests_total: { kind: 'counter', help: 'Requests answered.', labels: ['api', 'error'] },
  broker_request_duration_seconds: {
    kind: 'histogram',
    help: 'Time from a parsed request to its queued response.',
    labels: ['api'],
    buckets: workBuckets,
  },
  broker_bytes_total: { kind: 'counter', help: 'Bytes over the wire.', labels: ['direction'] },
  broker_records_total: { kind: 'counter', help: 'Records appended.', labels: ['topic'] },
  broker_connections: { kind: 'gauge', help: 'Open client connections.', labels: [] },
  broker_log_end_offset: {
    kind: 'gauge',
    help: 'Next offset to be written.',
    labels: ['topic', 'partition'],
  },
  broker_log_size_bytes: { kind: 'gauge', help: 'Bytes kept on disk.', labels: ['topic', 'partition'] },
  broker_group_members: { kind: 'gauge', help: 'Members of a consumer group.', labels: ['group'] },

  // producer
  events_produced_total: { kind: 'counter', help: 'Events acknowledged by the broker.', labels: [] },
  produce_duration_seconds: {
    kind: 'histogram',
    help: 'Time from sending a batch to its acknowledgement.',
    labels: [],
    buckets: workBuckets,
  },
  produce_errors_total: {
    kind: 'counter',
    help: 'Batches that the broker refused or never answered.',
    labels: [],
  },

  // consumer
  cdc_events_total: {
    kind: 'counter',
    help: 'Changes taken effect, by table and operation.',
    labels: ['table', 'op'],
  },
  events_consumed_total: { kind: 'counter', help: 'Events read from a topic.', labels: ['pipeline'] },
  events_processed_total: {
    kind: 'counter',
    help: 'Events by what became of them: success, duplicate, filtered, dlq or fail.',
    labels: ['pipeline', 'result'],
  },
  processing_duration_seconds: {
    kind: 'histogram',
    help: 'Time from handing a batch to the sink to its acknowledgement.',
    labels: ['pipeline'],
    buckets: workBuckets,
  },
  db_query_duration_seconds: {
    kind: 'histogram',
    help: 'Time of a database statement.',
    labels: ['query'],
    buckets: workBuckets,
  },
  retries_total: { kind: 'counter', help: 'Deliveries tried again.', labels: ['pipeline'] },
  inflight_workers: { kind: 'gauge', help: 'Batches being delivered now.', labels: ['pipeline'] },
  consumer_lag: {
    kind: 'gauge',
    help: 'Events between the committed position and the end of the partition.',
    labels: ['group', 'topic', 'partition'],
  },
  consumer_oldest_unprocessed_seconds: {
    kind: 'gauge',
    help: 'Age of the first event behind the committed position of the partition; 0 when there is none.',
    labels: ['group', 'topic', 'partition'],
  },
  pipeline_unaccounted_events: {
    kind: 'gauge',
    help: 'Events read minus those delivered, recognised as duplicates, filtered, dead-lettered or in flight. Must be 0.',
    labels: ['pipeline'],
  },
  pipeline_state: {
    kind: 'gauge',
    help: '1 for the state that the pipeline is in.',
    labels: ['pipeline', 'state'],
  },
  processed_events_partitions: {
    kind: 'gauge',
    help: 'Days whose event ids have a partition of their own.',
    labels: [],
  },
  processed_events_forgotten_total: {
    kind: 'counter',
    help: 'Ids of processed events that were older than the retention and were forgotten.',
    labels: [],
  },
  processed_events_retained_timestamp_seconds: {
    kind: 'gauge',
    help: 'When this process last applied the retention of event ids, seconds since the epoch; 0 while another one does.',
    labels: [],
  },
  processed_events_retention_failures_total: {
    kind: 'counter',
    help: 'Times that the retention of event ids could not be applied.',
    labels: [],
  },
  dead_letters_total: { kind: 'counter', help: 'Events dead-lettered.', labels: ['pipeline', 'reason'] },
  change_visible_seconds: {
    kind: 'histogram',
    help: 'Time from a commit in the source database to its change being stored.',
    labels: ['pipeline'],
    buckets: workBuckets,
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricCatalogue;
export type MetricNameOf<K extends MetricKind> = {
  [N in MetricName]: (typeof metricCatalogue)[N]['kind'] extends K ? N : never;
}[MetricName];
export type LabelsOf<N extends MetricName> = (typeof metricCatalogue)[N]['labels'][number];
