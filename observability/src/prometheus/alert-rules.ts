import type { AlertSpec } from '../alerts/alert.ts';
import { dashboardIds } from '../grafana/place.ts';
import type { Settings } from '../settings.ts';
import type { AlertingRule, RuleGroup } from './rule-file.ts';

/** A declared alert as Prometheus and Alertmanager want it. */
export function alertingRule(spec: AlertSpec, settings: Settings): AlertingRule {
  const { times } = settings;
  return {
    alert: spec.name,
    expr: spec.expr(times),
    ...(spec.for && { for: times.wait(spec.for) }),
    ...(spec.keepFiringFor && { keep_firing_for: times.wait(spec.keepFiringFor) }),
    labels: {
      severity: spec.severity,
      service: spec.service,
      team: spec.team,
      ...(spec.slo && { slo: spec.slo }),
      drill: settings.drill,
    },
    annotations: {
      summary: spec.summary,
      impact: spec.impact,
      runbook_url: `${settings.runbooksUrl}/${spec.name}.md`,
      dashboard_url: `${settings.grafanaUrl}/d/${dashboardIds[spec.place.dashboard]}`,
      trace_query: traceQuery(spec, settings),
    },
  };
}

export function alertGroup(name: string, specs: readonly AlertSpec[], settings: Settings): RuleGroup {
  return { name, rules: specs.map(spec => alertingRule(spec, settings)) };
}

/** Jaeger's search for the last failed traces of the service. */
function traceQuery({ service }: AlertSpec, { jaegerUrl }: Settings): string {
  const tags = encodeURIComponent(JSON.stringify({ error: 'true' }));
  return `${jaegerUrl}/search?service=${service}&lookback=1h&tags=${tags}`;
}
