import type { Place } from './grafana/place.ts';
import type { Duration } from './promql/duration.ts';

/** Counts of one window, as PromQL that leaves no label, or `pipeline` when the SLO has weights. */
export type Count = (window: Duration) => string;

/** Judged event by event: valid ones, and of those either the good or the bad. */
export type EventIndicator = {
  readonly kind: 'events';
  /** What one event is, in the plural. */
  readonly unit: string;
  readonly valid: Count;
} & ({ readonly good: Count } | { readonly bad: Count });

/** Judged slice by slice of time, for what has to hold also when nothing happens. */
export interface SliceIndicator {
  readonly kind: 'slices';
  /** 1 in a good slice, 0 in a bad one, absent in one that does not count. */
  readonly good: string;
}

/** A service level objective. Rules, alerts, dashboard and documentation are made from it. */
export interface Slo {
  /** Its value of the label `slo`. */
  readonly name: string;
  readonly title: string;
  /** Why it matters to somebody, in one sentence. */
  readonly promise: string;
  /** What is counted, and what is not. */
  readonly definition: string;
  /** Share of good events, below 1. */
  readonly objective: number;
  /** Over which the budget is counted. */
  readonly period: Duration;
  readonly indicator: EventIndicator | SliceIndicator;
  /** Bad events in the long window of a pair below which nobody is woken: one error of twenty is no incident. */
  readonly badEventsMin: number;
  /** How much an event of each pipeline weighs; the indicator then keeps the label `pipeline`. */
  readonly weights?: Readonly<Record<string, number>>;
  readonly service: string;
  readonly team: string;
  /** Name of the burn alerts. */
  readonly alert: string;
  readonly place: Place;
  readonly provocation: string;
}

/** A pair of windows: the long one says that it matters, the short one that it is still going on. */
export interface BurnPair {
  readonly severity: 'page' | 'ticket';
  /** How many times faster than the period allows the budget is used up. */
  readonly factor: number;
  readonly long: Duration;
  readonly short: Duration;
}

/** Site Reliability Workbook, chapter 5, table 5-8, with the slow ticket's windows. */
export const burnPairs: readonly BurnPair[] = [
  { severity: 'page', factor: 14.4, long: '1h', short: '5m' },
  { severity: 'page', factor: 6, long: '6h', short: '30m' },
  { severity: 'ticket', factor: 3, long: '1d', short: '2h' },
  { severity: 'ticket', factor: 1, long: '3d', short: '6h' },
];

/** Length of a slice: how often {@link SliceIndicator} is looked at. */
export const sliceLength: Duration = '10s';
