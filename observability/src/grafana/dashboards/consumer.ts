import { series } from '../../promql/series.ts';
import type { Dashboard, Row } from '../dashboard.ts';
import { chosen, groupVariable, perSecond, pipelineVariable, quantile } from './variables.ts';

const pipeline = { pipeline: chosen('pipeline') };
const group = { group: chosen('group') };
const lag = `max by (group, topic, partition) (${series('consumer_lag', group)})`;
const processed = (result: string) => series('events_processed_total', { ...pipeline, result });

const verdict: Row = {
  title: 'Verdict',
  panels: [
    {
      type: 'stat',
      title: 'Head of line',
      description: 'Age of the oldest event that was read and is not done.',
      unit: 's',
      width: 5,
      queries: [
        {
          expr: `max by (pipeline) (${series('pipeline_oldest_pending_seconds', pipeline)})`,
          legend: '{{pipeline}}',
        },
      ],
      thresholds: [
        { value: 30, colour: 'yellow' },
        { value: 120, colour: 'red' },
      ],
    },
    {
      type: 'stat',
      title: 'Books',
      description: 'Events read minus those accounted for. Anything but 0 is an incident.',
      unit: 'short',
      width: 5,
      queries: [
        {
          expr: `max by (pipeline) (abs(${series('pipeline_unaccounted_events', pipeline)}))`,
          legend: '{{pipeline}}',
        },
      ],
      thresholds: [{ value: 1, colour: 'red' }],
    },
    {
      type: 'stat',
      title: 'State',
      description: 'The state that each pipeline is in.',
      unit: 'none',
      width: 8,
      queries: [
        {
          expr: `max by (pipeline, state) (${series('pipeline_state', pipeline)}) == 1`,
          legend: '{{pipeline}} {{state}}',
        },
      ],
    },
  ],
};

const lagRow: Row = {
  title: 'Lag',
  panels: [
    {
      type: 'timeseries',
      title: 'Lag by group',
      description: 'Events between the committed position and the end. The line is the alert at 10000.',
      unit: 'short',
      width: 6,
      queries: [{ expr: `sum by (group, topic) (${lag})`, legend: '{{group}} {{topic}}' }],
      thresholds: [{ value: 10_000, colour: 'red' }],
    },
    {
      type: 'timeseries',
      title: 'In and out',
      description: 'Events read and events dealt with, a second. The gap is work in flight.',
      unit: 'cps',
      width: 6,
      queries: [
        {
          expr: `sum by (pipeline) (${perSecond(series('events_consumed_total', pipeline))})`,
          legend: 'read {{pipeline}}',
        },
        { expr: `sum by (pipeline) (${perSecond(processed('!=fail'))})`, legend: 'done {{pipeline}}' },
      ],
    },
    {
      type: 'timeseries',
      title: 'Head of line over time',
      description:
        'Age of the oldest event that was read and is not done, and of the first one that is not committed.',
      unit: 's',
      width: 6,
      queries: [
        {
          expr: `max by (pipeline) (${series('pipeline_oldest_pending_seconds', pipeline)})`,
          legend: 'read: {{pipeline}}',
        },
        {
          expr: `max by (group, topic) (${series('consumer_oldest_unprocessed_seconds', group)})`,
          legend: 'not committed: {{group}} {{topic}}',
        },
      ],
      thresholds: [{ value: 120, colour: 'red' }],
    },
  ],
};

const partitions: Row = {
  title: 'Partitions',
  panels: [
    {
      type: 'timeseries',
      title: 'Lag by partition',
      description: 'A partition that stands out is hot or stuck.',
      unit: 'short',
      width: 9,
      queries: [{ expr: lag, legend: '{{topic}}/{{partition}} {{group}}' }],
    },
    {
      type: 'table',
      title: 'Positions',
      description: 'Committed position of every partition.',
      unit: 'short',
      width: 9,
      queries: [
        {
          expr: `max by (group, topic, partition) (${series('consumer_committed_offset', group)})`,
          instant: true,
        },
      ],
    },
  ],
};

const deadLetters: Row = {
  title: 'Dead letters',
  panels: [
    {
      type: 'timeseries',
      title: 'Dead letters by reason',
      description: 'Why events were given up.',
      unit: 'cps',
      width: 9,
      stacked: true,
      queries: [
        {
          expr: `sum by (pipeline, reason) (${perSecond(series('dead_letters_total', pipeline))})`,
          legend: '{{pipeline}} {{reason}}',
        },
      ],
    },
    {
      type: 'timeseries',
      title: 'Outcomes',
      description: 'What became of events: success, duplicate, filtered, dlq or fail.',
      unit: 'cps',
      width: 9,
      stacked: true,
      queries: [
        {
          expr: `sum by (result) (${perSecond(series('events_processed_total', pipeline))})`,
          legend: '{{result}}',
        },
      ],
    },
  ],
};

const deliveries: Row = {
  title: 'Deliveries',
  panels: [
    {
      type: 'timeseries',
      title: 'Time of a delivery',
      description: 'From handing a batch to the sink until it has acknowledged it.',
      unit: 's',
      width: 6,
      queries: [0.5, 0.95, 0.99].map(q => ({
        expr: quantile(q, series('processing_duration_seconds_bucket', pipeline)),
        legend: `p${q * 100}`,
        exemplars: true,
      })),
    },
    {
      type: 'timeseries',
      title: 'Share of failed deliveries',
      description: 'Deliveries that failed and were tried again. The line is the alert.',
      unit: 'percentunit',
      width: 6,
      queries: [
        {
          expr: `sum by (pipeline) (${perSecond(processed('fail'))}) / (sum by (pipeline) (${perSecond(processed('fail'))}) + sum by (pipeline) (${perSecond(series('processing_duration_seconds_count', pipeline))}))`,
          legend: '{{pipeline}}',
        },
      ],
      thresholds: [{ value: 0.05, colour: 'red' }],
    },
    {
      type: 'timeseries',
      title: 'In flight',
      description: 'Batches that are being delivered now.',
      unit: 'short',
      width: 6,
      queries: [
        { expr: `sum by (pipeline) (${series('inflight_workers', pipeline)})`, legend: '{{pipeline}}' },
      ],
    },
    {
      type: 'heatmap',
      title: 'Deliveries heatmap',
      description: 'How many deliveries took how long. A dot opens the trace of one.',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: `sum by (le) (${perSecond(series('processing_duration_seconds_bucket', pipeline))})`,
          legend: '{{le}}',
          exemplars: true,
        },
      ],
    },
    {
      type: 'heatmap',
      title: 'Database latency heatmap',
      description: 'How many statements took how long.',
      unit: 's',
      width: 12,
      queries: [
        { expr: `sum by (le) (${perSecond(series('db_query_duration_seconds_bucket'))})`, legend: '{{le}}' },
      ],
    },
    {
      type: 'timeseries',
      title: 'Retries',
      description: 'Deliveries tried again.',
      unit: 'cps',
      queries: [
        {
          expr: `sum by (pipeline) (${perSecond(series('retries_total', pipeline))})`,
          legend: '{{pipeline}}',
        },
      ],
    },
  ],
};

const groupRow: Row = {
  title: 'Group',
  panels: [
    {
      type: 'timeseries',
      title: 'Members',
      description: 'Consumers in each group, as the embedded broker counts them.',
      unit: 'short',
      width: 9,
      queries: [{ expr: `max by (group) (${series('broker_group_members', group)})`, legend: '{{group}}' }],
    },
    {
      type: 'timeseries',
      title: 'Rebalances',
      description: 'Times that the group gave partitions, within the window of the graph.',
      unit: 'short',
      width: 9,
      queries: [
        {
          expr: `sum by (pipeline) (increase(${series('rebalances_total', pipeline)}[$__rate_interval]))`,
          legend: '{{pipeline}}',
        },
      ],
    },
  ],
};

export const consumerDashboard: Dashboard = {
  key: 'consumer',
  title: 'Consumer',
  description: 'Pipelines and their groups: how late, how many, what fails.',
  variables: [pipelineVariable, groupVariable],
  rows: [verdict, lagRow, partitions, deadLetters, deliveries, groupRow],
};
