/** Units of Grafana that panels here may use. */
export type PanelUnit =
  | 's'
  | 'reqps'
  | 'cps'
  | 'mps'
  | 'percentunit'
  | 'bytes'
  | 'Bps'
  | 'short'
  | 'none'
  | 'bool_on_off'
  | 'dateTimeAsIso';

export type PanelType = 'timeseries' | 'stat' | 'heatmap' | 'piechart' | 'table' | 'bargauge' | 'logs';

/** One query of a panel over Prometheus. */
export interface Query {
  readonly expr: string;
  /** What stands in the legend; labels as `{{label}}`. */
  readonly legend?: string;
  /** The value of now only, as tables, stats and pies need it. */
  readonly instant?: boolean;
  /** Dots that open the trace of a single request. */
  readonly exemplars?: boolean;
  /** The query answers nothing as long as all is well. */
  readonly emptyWhenHealthy?: boolean;
}

/** A value at which a line is drawn and the colour changes. */
export interface Threshold {
  readonly value: number;
  readonly colour: 'green' | 'yellow' | 'red';
}

export interface Panel {
  readonly type: PanelType;
  readonly title: string;
  readonly description: string;
  readonly unit: PanelUnit;
  readonly queries: readonly Query[];
  /** Of 24. */
  readonly width?: number;
  readonly height?: number;
  readonly thresholds?: readonly Threshold[];
  /** Queries of another data source than Prometheus, as it wants them. */
  readonly foreign?: { readonly datasource: DatasourceKey; readonly targets: readonly object[] };
  readonly links?: readonly { readonly title: string; readonly url: string }[];
  /** Values drawn on top of each other. */
  readonly stacked?: boolean;
  readonly max?: number;
}

/** Data sources by their stable uid. */
export const datasourceUids = {
  prometheus: 'tidemark-prometheus',
  elasticsearch: 'tidemark-elasticsearch',
  loki: 'tidemark-loki',
  jaeger: 'tidemark-jaeger',
} as const;
export type DatasourceKey = keyof typeof datasourceUids;

/** The Prometheus that the reader chose at the top of the dashboard. */
export const chosenPrometheus = { type: 'prometheus', uid: '${datasource}' } as const;

interface Place {
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

/** The panel in Grafana's own words. */
export function panelJson(panel: Panel, place: Place): object {
  const { type, title, description, width = 8, height = 8, links = [] } = panel;
  const datasource = panel.foreign
    ? { type: panel.foreign.datasource, uid: datasourceUids[panel.foreign.datasource] }
    : chosenPrometheus;
  return {
    id: place.id,
    type,
    title,
    description,
    datasource,
    gridPos: { x: place.x, y: place.y, w: width, h: height },
    ...(links.length > 0 && { links: links.map(link => ({ ...link, targetBlank: true })) }),
    targets: panel.foreign
      ? panel.foreign.targets.map((target, index) => ({ refId: refId(index), datasource, ...target }))
      : panel.queries.map((query, index) => target(query, index, type)),
    fieldConfig: { defaults: fieldDefaults(panel), overrides: [] },
    options: options(panel),
    ...(type === 'table' && {
      transformations: [
        { id: 'organize', options: { excludeByName: { Time: true, __name__: true, installation: true } } },
      ],
    }),
  };
}

const refId = (index: number) => String.fromCharCode('A'.charCodeAt(0) + index);

function target(query: Query, index: number, type: PanelType): object {
  return {
    refId: refId(index),
    datasource: chosenPrometheus,
    expr: query.expr,
    legendFormat: query.legend ?? '__auto',
    range: !query.instant,
    instant: query.instant ?? false,
    exemplar: query.exemplars ?? false,
    ...(type === 'heatmap' && { format: 'heatmap' }),
    ...(type === 'table' && { format: 'table' }),
  };
}

function fieldDefaults({ type, unit, thresholds, stacked, max }: Panel): object {
  const steps = thresholds
    ? [{ color: 'green', value: null }, ...thresholds.map(({ value, colour }) => ({ color: colour, value }))]
    : [{ color: 'green', value: null }];
  const lines = {
    drawStyle: 'line',
    fillOpacity: stacked ? 40 : 8,
    showPoints: 'never',
    spanNulls: false,
    ...(stacked && { stacking: { mode: 'normal', group: 'A' } }),
    ...(thresholds && { thresholdsStyle: { mode: 'line' } }),
  };
  return {
    unit,
    min: type === 'logs' ? undefined : 0,
    ...(max !== undefined && { max }),
    color: { mode: type === 'stat' || type === 'bargauge' ? 'thresholds' : 'palette-classic' },
    thresholds: { mode: 'absolute', steps },
    ...(type === 'timeseries' && { custom: lines }),
    noValue: '–',
  };
}

function options({ type }: Panel): object {
  const lastValue = { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } };
  const all: Readonly<Record<PanelType, object>> = {
    timeseries: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    stat: { ...lastValue, colorMode: 'value', graphMode: 'area', textMode: 'value_and_name' },
    bargauge: { ...lastValue, orientation: 'horizontal', displayMode: 'basic' },
    heatmap: { calculate: false, yAxis: { unit: 's' }, exemplars: { color: 'rgba(255,0,255,0.7)' } },
    piechart: {
      ...lastValue,
      pieType: 'donut',
      legend: { displayMode: 'table', placement: 'right', values: ['percent'] },
    },
    table: { showHeader: true, cellHeight: 'sm' },
    logs: { showTime: true, wrapLogMessage: true, sortOrder: 'Descending' },
  };
  return all[type];
}
