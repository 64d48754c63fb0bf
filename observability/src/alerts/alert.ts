import type { Place } from '../grafana/place.ts';
import type { Duration, Times } from '../promql/duration.ts';

/** `page` wakes somebody, `ticket` waits for working hours, `heartbeat` has to arrive all the time. */
export type Severity = 'page' | 'ticket' | 'heartbeat';

/** How the alert can be made to fire on a running stack, or why it cannot. */
export type Provocation = { readonly do: string } | { readonly none: string };

export interface AlertSpec {
  readonly name: string;
  readonly severity: Severity;
  readonly service: string;
  readonly team: 'platform' | 'pipelines';
  /** The objective whose budget it speaks for. */
  readonly slo?: string;
  /** PromQL; its value is what the summary tells. */
  readonly expr: (times: Times) => string;
  /** How long it has to hold. */
  readonly for?: Duration;
  /** How long it stays after its condition went, for conditions that come and go. */
  readonly keepFiringFor?: Duration;
  /** One sentence with the value and its unit; a Prometheus template. */
  readonly summary: string;
  /** What somebody outside notices or will notice. */
  readonly impact: string;
  readonly place: Place;
  readonly provocation: Provocation;
}
