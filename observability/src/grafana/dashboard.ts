import { alerts } from '../alerts/index.ts';
import { series } from '../promql/series.ts';
import type { Settings } from '../settings.ts';
import { chosenPrometheus, type Panel, panelJson } from './panel.ts';
import { type DashboardKey, dashboardIds } from './place.ts';

/** Values that the reader may choose among, taken from a label. */
export interface Variable {
  readonly name: 'job' | 'instance' | 'pipeline' | 'group' | 'topic' | 'slo' | 'table' | 'mountpoint';
  readonly label: string;
  /** Series whose label of that name is offered. */
  readonly from: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly key: DashboardKey;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** The dashboard as Grafana loads it: stable ids, not to be edited there, with links to the others of this set. */
export function dashboardJson(dashboard: Dashboard, settings: Settings): object {
  return {
    uid: dashboardIds[dashboard.key],
    title: `Tidemark / ${dashboard.title}`,
    description: dashboard.description,
    tags: ['tidemark'],
    editable: false,
    graphTooltip: 1,
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Tidemark',
        tags: ['tidemark'],
        asDropdown: true,
        includeVars: true,
        keepTime: true,
      },
    ],
    templating: { list: [datasourceVariable, ...dashboard.variables.map(variableJson)] },
    annotations: { list: annotations },
    panels: layOut(dashboard, settings),
  };
}

const datasourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  current: { text: 'Prometheus', value: 'tidemark-prometheus' },
};

function variableJson({ name, label, from }: Variable): object {
  return {
    name,
    label,
    type: 'query',
    datasource: chosenPrometheus,
    query: { query: `label_values(${from}, ${name})`, refId: name },
    definition: `label_values(${from}, ${name})`,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    // When the time range changes: a pipeline that is gone now was there then.
    refresh: 2,
    sort: 1,
  };
}

const annotations = [
  annotation('Starts', 'blue', `changes(${series('process_start_time_seconds')}[2m]) > 0`, 'job'),
  annotation(
    'Alerts',
    'red',
    `max by (alertname) (${series('ALERTS', { alertstate: 'firing', alertname: '!=Watchdog', drill: 'none' })})`,
    'alertname',
  ),
  annotation(
    'Drills',
    'purple',
    `max by (drill) (${series('ALERTS', { alertstate: 'firing', drill: '!=none' })})`,
    'drill',
  ),
];

function annotation(name: string, colour: string, expr: string, titleLabel: string): object {
  return {
    name,
    datasource: chosenPrometheus,
    enable: true,
    iconColor: colour,
    expr,
    step: '60s',
    titleFormat: `${name}: {{${titleLabel}}}`,
  };
}

const gridWidth = 24;

/** Rows from top to bottom, panels from left to right; a row that alerts point to begins with what they say. */
function layOut({ key, rows }: Dashboard, settings: Settings): object[] {
  const laid: object[] = [];
  let y = 0;
  for (const row of rows) {
    laid.push({
      id: laid.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: gridWidth, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of [...alertsOf(key, row.title, settings), ...row.panels]) {
      const { width = 8 } = panel;
      if (x + width > gridWidth) {
        y += height;
        x = 0;
        height = 0;
      }
      laid.push(panelJson(panel, { id: laid.length + 1, x, y }));
      x += width;
      height = Math.max(height, panel.height ?? 8);
    }
    y += height;
  }
  return laid;
}

/** Which of the alerts that point to this row are pending or firing, with links to their runbooks. */
function alertsOf(dashboard: DashboardKey, row: string, { runbooksUrl }: Settings): Panel[] {
  const here = alerts.filter(({ place }) => place.dashboard === dashboard && place.row === row);
  const names = [...new Set(here.map(({ name }) => name))];
  if (names.length === 0) return [];
  return [
    {
      type: 'table',
      title: `Alerts of ${row}`,
      description: `Pending and firing alerts among ${names.join(', ')}. Empty when all is well. The links lead to their runbooks.`,
      unit: 'none',
      width: 6,
      queries: [
        {
          expr: `max by (alertname, alertstate, severity, service, drill) (${series('ALERTS', { alertname: `=~${names.join('|')}` })})`,
          instant: true,
          emptyWhenHealthy: true,
        },
      ],
      links: names.map(name => ({ title: name, url: `${runbooksUrl}/${name}.md` })),
    },
  ];
}
