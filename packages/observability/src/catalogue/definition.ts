/** What kind of instrument a metric is. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** What one is counted or measured in. A state is 1 or 0; an info is always 1 and says something by its labels. */
export type MetricUnit =
  | 'seconds'
  | 'timestamp'
  | 'bytes'
  | 'ratio'
  | 'state'
  | 'info'
  | 'offset'
  | 'requests'
  | 'events'
  | 'changes'
  | 'transactions'
  | 'records'
  | 'batches'
  | 'connections'
  | 'members'
  | 'deliveries'
  | 'statements'
  | 'occurrences';

/** `stable`: name, unit and labels stay, because dashboards of others use them. `developing`: they may still change. */
export type Stability = 'stable' | 'developing';

export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly unit: MetricUnit;
  readonly stability: Stability;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds in the metric's unit; histograms only. */
  readonly buckets?: readonly number[];
}

/** Seconds; the buckets that people's dashboards for web services already assume. */
export const httpBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
  // Where the latency objective draws its line: a share of requests is exact only at an edge.
  0.3, 0.5, 1, 2.5, 5, 10,
] as const;
/** Seconds; fine enough to see a batch of a few milliseconds, wide enough for an outage. */
export const workBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;
