import type { Variable } from '../dashboard.ts';

export const jobVariable: Variable = { name: 'job', label: 'Service', from: 'process_start_time_seconds' };
export const instanceVariable: Variable = {
  name: 'instance',
  label: 'Instance',
  from: 'process_start_time_seconds',
};
export const pipelineVariable: Variable = { name: 'pipeline', label: 'Pipeline', from: 'pipeline_info' };
export const groupVariable: Variable = { name: 'group', label: 'Group', from: 'consumer_lag' };
export const topicVariable: Variable = { name: 'topic', label: 'Topic', from: 'broker_log_end_offset' };
export const sloVariable: Variable = { name: 'slo', label: 'Objective', from: 'slo:objective' };
export const tableVariable: Variable = { name: 'table', label: 'Table', from: 'cdc_events_total' };
export const mountVariable: Variable = {
  name: 'mountpoint',
  label: 'Disk',
  from: 'node_filesystem_size_bytes',
};
/** What a query says to follow the reader's choice. */
export const chosen = (name: string) => `=~$${name}`;
/** The window that fits the resolution of the graph and never holds too few samples. */
export const perSecond = (selector: string) => `rate(${selector}[$__rate_interval])`;
export const quantile = (q: number, bucket: string, by = '') =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (${perSecond(bucket)}))`;
