import { badEvents, errorRatio, validEvents } from '../../prometheus/slo-rules.ts';
import { recorded } from '../../promql/series.ts';
import type { Slo } from '../../slo.ts';
import { burnPairs } from '../../slo.ts';
import { slos } from '../../slos.ts';
import type { Dashboard, Row } from '../dashboard.ts';
import type { Panel } from '../panel.ts';
import { sloVariable } from './variables.ts';

/** Whatever the declared objectives are, their verdict. */
export const sloDashboard: Dashboard = {
  key: 'slo',
  title: 'Objectives',
  description: 'Are we keeping our promises, and how much may still go wrong this month?',
  variables: [sloVariable],
  rows: [verdict(), ...rows()],
};

function verdict(): Row {
  const budget = `1 - max by (slo) (${errorRatio('30d', '=~$slo')}) / (1 - max by (slo) (${recorded('slo:objective')}))`;
  return {
    title: 'Verdict',
    panels: [
      {
        type: 'bargauge',
        title: 'Budget left',
        description:
          'Share of the error budget of 30 days that is left. Below nothing the promise is broken.',
        unit: 'percentunit',
        width: 12,
        max: 1,
        queries: [{ expr: budget, legend: '{{slo}}', instant: true }],
        thresholds: [
          { value: 0.25, colour: 'yellow' },
          { value: 0.5, colour: 'green' },
        ],
      },
      {
        type: 'timeseries',
        title: 'Burn rate',
        description:
          'How many times faster than allowed the budget is used up, over one hour. The lines are those of the alerts.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `max by (slo) (${errorRatio('1h', '=~$slo')}) / (1 - max by (slo) (${recorded('slo:objective')}))`,
            legend: '{{slo}}',
          },
        ],
        thresholds: burnPairs
          .map(({ factor, severity }) => ({
            value: factor,
            colour: severity === 'page' ? ('red' as const) : ('yellow' as const),
          }))
          .sort((a, b) => a.value - b.value),
      },
    ],
  };
}

/** One row for each place that an objective points to. */
function rows(): readonly Row[] {
  const titles = [...new Set(slos.map(({ place }) => place.row))];
  return titles.map(title => ({
    title,
    panels: slos.filter(({ place }) => place.row === title).flatMap(panelsOf),
  }));
}

function panelsOf(slo: Slo): readonly Panel[] {
  const what = slo.indicator.kind === 'events' ? slo.indicator.unit : 'slices of ten seconds';
  return [
    {
      type: 'timeseries',
      title: `${slo.title}: error ratio`,
      description: `${slo.definition} The line is what the objective allows.`,
      unit: 'percentunit',
      width: 9,
      queries: (['5m', '1h', '6h'] as const).map(window => ({
        expr: errorRatio(window, slo.name),
        legend: window,
      })),
      thresholds: [{ value: Number((1 - slo.objective).toPrecision(6)), colour: 'red' }],
    },
    {
      type: 'timeseries',
      title: `${slo.title}: counts`,
      description: `Valid and bad ${what} of the last hour, from which the ratio is made.`,
      unit: 'short',
      width: 9,
      queries: [
        { expr: `sum by (slo) (${validEvents('1h', slo.name)})`, legend: 'valid' },
        { expr: `sum by (slo) (${badEvents('1h', slo.name)})`, legend: 'bad' },
      ],
    },
  ];
}
