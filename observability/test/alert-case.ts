import type { AlertSpec } from '../src/alerts/index.ts';
import { alertingRule } from '../src/prometheus/alert-rules.ts';
import type { Duration } from '../src/promql/duration.ts';
import { defaultSettings } from '../src/settings.ts';
import type { Values } from './series-values.ts';

/** An alert that is expected: the labels that its series brings, and its summary with the value in it. */
export interface Firing {
  readonly labels?: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** What is expected of an alert at a moment: nothing, or exactly these. */
export interface Expectation {
  readonly at: Duration | `${number}m${number}s`;
  readonly firing?: readonly Firing[];
}

/** Time series, and when the alert has to fire and when it must not. */
export interface AlertCase {
  readonly alert: string;
  readonly severity?: AlertSpec['severity'];
  readonly what: string;
  /** Between two samples, and between two evaluations. */
  readonly interval: Duration;
  readonly series: Readonly<Record<string, Values>>;
  readonly expect: readonly Expectation[];
}

/** A test group as promtool reads it. */
export function promtoolGroup(alertCase: AlertCase, spec: AlertSpec): unknown {
  return {
    name: `${spec.name} (${spec.severity}): ${alertCase.what}`,
    interval: alertCase.interval,
    input_series: Object.entries(alertCase.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: alertCase.expect.map(({ at, firing = [] }) => ({
      eval_time: at,
      alertname: spec.name,
      exp_alerts: firing.map(each => expectedAlert(each, spec)),
    })),
  };
}

function expectedAlert({ labels = {}, summary }: Firing, spec: AlertSpec): unknown {
  const rule = alertingRule(spec, defaultSettings);
  const render = (text: string) =>
    text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '');
  const rendered = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, render(text)]));
  return {
    exp_labels: { ...labels, ...rendered(rule.labels) },
    exp_annotations: { ...rendered(rule.annotations), summary },
  };
}
