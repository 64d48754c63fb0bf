import { series } from '../../promql/series.ts';
import type { Dashboard } from '../dashboard.ts';
import { chosen, perSecond, pipelineVariable, quantile, topicVariable } from './variables.ts';

const pipeline = { pipeline: chosen('pipeline') };
const topic = { topic: chosen('topic') };

/** The way of a change, stage by stage. */
export const flowDashboard: Dashboard = {
  key: 'flow',
  title: 'Flow',
  description:
    'From the commit in the database to the change store: what moves, how fast, and where it waits.',
  variables: [pipelineVariable, topicVariable],
  rows: [
    {
      title: 'Freshness by stage',
      panels: [
        {
          type: 'timeseries',
          title: 'Commit to acknowledgement',
          description: 'From the commit in the database until the broker has acknowledged the change.',
          unit: 's',
          queries: [0.5, 0.99].map(q => ({
            expr: quantile(q, series('capture_commit_to_ack_seconds_bucket'), 'changefeed'),
            legend: `p${q * 100} {{changefeed}}`,
          })),
        },
        {
          type: 'timeseries',
          title: 'Commit to search',
          description:
            'From the commit until the change can be searched. The line is the objective of ten seconds.',
          unit: 's',
          queries: [0.5, 0.99].map(q => ({
            expr: quantile(q, series('change_visible_seconds_bucket', pipeline), 'pipeline'),
            legend: `p${q * 100} {{pipeline}}`,
            exemplars: true,
          })),
          thresholds: [{ value: 10, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'Rates along the way',
          description:
            'Changes and events a second at each stage. Lines that part show where something waits.',
          unit: 'cps',
          queries: [
            { expr: `sum(${perSecond(series('capture_changes_total'))})`, legend: 'captured' },
            { expr: `sum(${perSecond(series('events_produced_total'))})`, legend: 'produced' },
            {
              expr: `sum by (pipeline) (${perSecond(series('events_consumed_total', pipeline))})`,
              legend: 'read by {{pipeline}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Capture',
      panels: [
        {
          type: 'timeseries',
          title: 'Behind the database, time',
          description: 'Age of the newest acknowledged commit while changes wait.',
          unit: 's',
          width: 6,
          queries: [{ expr: series('capture_lag_seconds'), legend: '{{changefeed}}' }],
          thresholds: [{ value: 60, colour: 'red' }],
        },
        {
          type: 'timeseries',
          title: 'Behind the database, bytes',
          description: 'Log between the end of the database and what was acknowledged.',
          unit: 'bytes',
          width: 6,
          queries: [{ expr: series('capture_lag_bytes'), legend: '{{changefeed}}' }],
        },
        {
          type: 'timeseries',
          title: 'State of the changefeeds',
          description: 'The state that each changefeed is in.',
          unit: 'none',
          width: 6,
          queries: [
            {
              expr: `max by (changefeed, state) (${series('capture_state')}) == 1`,
              legend: '{{changefeed}} {{state}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Captured by table',
          description: 'Changes acknowledged by the broker, by table and operation.',
          unit: 'cps',
          queries: [
            {
              expr: `sum by (table, op) (${perSecond(series('capture_changes_total'))})`,
              legend: '{{table}} {{op}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'Transactions',
          description: 'Transactions captured whole.',
          unit: 'cps',
          queries: [
            {
              expr: `sum by (changefeed) (${perSecond(series('capture_transactions_total'))})`,
              legend: '{{changefeed}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Topics',
      panels: [
        {
          type: 'timeseries',
          title: 'Appended',
          description: 'Records written to each topic, from the growth of its end.',
          unit: 'mps',
          queries: [
            {
              expr: `sum by (topic) (${perSecond(series('broker_log_end_offset', topic))})`,
              legend: '{{topic}}',
            },
          ],
        },
        {
          type: 'timeseries',
          title: 'On disk',
          description: 'Bytes that the broker keeps for each topic.',
          unit: 'bytes',
          queries: [
            { expr: `sum by (topic) (${series('broker_log_size_bytes', topic)})`, legend: '{{topic}}' },
          ],
        },
      ],
    },
    {
      title: 'Producer',
      panels: [
        {
          type: 'timeseries',
          title: 'Produced',
          description: 'Synthetic events acknowledged by the broker.',
          unit: 'cps',
          queries: [{ expr: `sum(${perSecond(series('events_produced_total'))})`, legend: 'events' }],
        },
        {
          type: 'timeseries',
          title: 'Time to acknowledgement',
          description: 'From sending a batch until the broker has acknowledged it.',
          unit: 's',
          queries: [0.5, 0.99].map(q => ({
            expr: quantile(q, series('produce_duration_seconds_bucket')),
            legend: `p${q * 100}`,
          })),
        },
        {
          type: 'timeseries',
          title: 'Batches that failed',
          description: 'Refused by the broker, or never answered.',
          unit: 'cps',
          queries: [{ expr: `sum(${perSecond(series('produce_errors_total'))})`, legend: 'batches' }],
        },
      ],
    },
  ],
};
