import { series } from '../../promql/series.ts';
import type { Row } from '../dashboard.ts';
import { perSecond } from './variables.ts';

const third = { width: 6 } as const;

/** What others see of us: probes, the machine, the logs. */
export const outside: readonly Row[] = [
  {
    title: 'Probes',
    panels: [
      {
        type: 'timeseries',
        title: 'Success from outside',
        description: 'What the blackbox exporter gets.',
        unit: 'percentunit',
        width: 9,
        queries: [{ expr: `avg by (instance) (${series('probe_success')})`, legend: '{{instance}}' }],
      },
      {
        type: 'timeseries',
        title: 'Duration from outside',
        description: 'How long a probe takes.',
        unit: 's',
        width: 9,
        queries: [
          { expr: `max by (instance) (${series('probe_duration_seconds')})`, legend: '{{instance}}' },
        ],
      },
    ],
  },
  {
    title: 'Machine',
    panels: [
      {
        ...third,
        type: 'timeseries',
        title: 'Clock',
        description: 'How far the clock is off.',
        unit: 's',
        queries: [{ expr: `abs(${series('node_timex_offset_seconds')})`, legend: '{{instance}}' }],
      },
      {
        ...third,
        type: 'timeseries',
        title: 'Memory left',
        description: 'What programs can still get.',
        unit: 'bytes',
        queries: [{ expr: series('node_memory_MemAvailable_bytes'), legend: '{{instance}}' }],
      },
      {
        ...third,
        type: 'timeseries',
        title: 'Processors in use',
        description: 'Share of all processors that is not idle.',
        unit: 'percentunit',
        queries: [
          {
            expr: `1 - avg by (instance) (${perSecond(series('node_cpu_seconds_total', { mode: 'idle' }))})`,
            legend: '{{instance}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Logs',
    panels: [
      {
        type: 'logs',
        title: 'Warnings and errors',
        description: 'Of the chosen services, from Loki. A trace id in a line leads to its trace.',
        unit: 'none',
        width: 24,
        height: 12,
        queries: [],
        foreign: {
          datasource: 'loki',
          targets: [
            { expr: '{job="tidemark", service=~"$job", level=~"warn|error|fatal"}', queryType: 'range' },
          ],
        },
      },
    ],
  },
];
