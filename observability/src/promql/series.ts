import type { ForeignMetricName, LabelsOf, MetricName, MetricNameOf } from '@tidemark/observability';

type Part = 'bucket' | 'sum' | 'count';
type Histogram = MetricNameOf<'histogram'>;
/** The name of a time series that somebody emits: a catalogued metric, or a part of a histogram. */
export type SeriesName =
  | MetricNameOf<'counter' | 'gauge'>
  | `${Histogram}_${Part}`
  | ForeignMetricName
  | `${Extract<ForeignMetricName, 'nodejs_gc_duration_seconds'>}_${Part}`;

type MetricOf<S extends SeriesName> = S extends MetricName
  ? S
  : S extends `${infer H extends Histogram}_${Part}`
    ? H
    : never;
/** Labels that Prometheus adds to every series, and the one of a histogram's edges. */
type AddedLabel = 'job' | 'instance' | 'le';
type LabelName<S extends SeriesName> = [MetricOf<S>] extends [never]
  ? string
  : LabelsOf<MetricOf<S>> | AddedLabel;

/** Values to select by label. A value may begin with `=~`, `!~` or `!=`; without one it has to be equal. */
export type Matchers<S extends SeriesName> = { readonly [L in LabelName<S>]?: string };

/** Selects series of a catalogued metric; the compiler knows names and labels. */
export function series<S extends SeriesName>(name: S, matchers: Matchers<S> = {}): string {
  const entries = Object.entries(matchers) as [string, string][];
  return entries.length === 0 ? name : `${name}{${entries.map(matcher).join(', ')}}`;
}

function matcher([label, value]: readonly [string, string]): string {
  const [, operator = '=', text = ''] = /^(=~|!~|!=)?(.*)$/s.exec(value) ?? [];
  return `${label}${operator}${JSON.stringify(text)}`;
}

/** The edge of a bucket as Prometheus 2 keeps it (`10`) and as Prometheus 3 does (`10.0`). */
export function edge(bound: number): string {
  return Number.isInteger(bound) ? `=~${bound}([.]0)?` : String(bound);
}

/** A series that a rule of ours records. */
export type RecordedName = `slo:${string}`;

export function recorded(name: RecordedName, matchers: Readonly<Record<string, string>> = {}): string {
  const entries = Object.entries(matchers);
  return entries.length === 0 ? name : `${name}{${entries.map(matcher).join(', ')}}`;
}
