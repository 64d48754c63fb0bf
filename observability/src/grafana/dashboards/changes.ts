import { series } from '../../promql/series.ts';
import type { Dashboard } from '../dashboard.ts';
import { chosen, perSecond, tableVariable } from './variables.ts';

const changes = series('cdc_events_total', { table: chosen('table') });

export const changesDashboard: Dashboard = {
  key: 'changes',
  title: 'Changes',
  description: 'What changes in the database, by table and operation, and the changes themselves.',
  variables: [tableVariable],
  rows: [
    {
      title: 'Operations',
      panels: [
        {
          type: 'piechart',
          title: 'Operations of the last hour',
          description: 'Share of inserts, updates and deletes that took effect.',
          unit: 'short',
          queries: [{ expr: `sum by (op) (increase(${changes}[1h]))`, legend: '{{op}}', instant: true }],
        },
        {
          type: 'timeseries',
          title: 'Changes by operation',
          description: 'Changes that took effect, a second.',
          unit: 'cps',
          stacked: true,
          queries: [{ expr: `sum by (op) (${perSecond(changes)})`, legend: '{{op}}' }],
        },
        {
          type: 'timeseries',
          title: 'Changes by table',
          description: 'Which tables are written to.',
          unit: 'cps',
          stacked: true,
          queries: [{ expr: `sum by (table) (${perSecond(changes)})`, legend: '{{table}}' }],
        },
      ],
    },
    {
      title: 'Events',
      panels: [
        {
          type: 'table',
          title: 'Latest changes',
          description:
            'From Elasticsearch: table, operation, key, time of commit and the row. Needs the pipeline that writes there.',
          unit: 'none',
          width: 24,
          height: 14,
          queries: [],
          foreign: {
            datasource: 'elasticsearch',
            targets: [
              {
                query: 'table:($table)',
                timeField: 'committed_at',
                metrics: [{ id: '1', type: 'raw_data', settings: { size: '100' } }],
                bucketAggs: [],
              },
            ],
          },
        },
      ],
    },
  ],
};
