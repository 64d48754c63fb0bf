import { burnExpression } from '../prometheus/slo-rules.ts';
import type { Slo } from '../slo.ts';
import type { AlertSpec } from './alert.ts';

const urgency = {
  page: 'At this pace the budget of 30 days is gone within days.',
  ticket: 'At this pace the budget of 30 days does not last.',
} as const;

/** Two alerts of one name for each objective: the fast burn wakes somebody, the slow one does not. */
export function burnAlerts(slos: readonly Slo[]): readonly AlertSpec[] {
  return slos.flatMap(slo =>
    (['page', 'ticket'] as const).map(severity => ({
      name: slo.alert,
      severity,
      service: slo.service,
      team: slo.team as AlertSpec['team'],
      slo: slo.name,
      expr: () => burnExpression(slo, severity),
      summary: `${slo.title}: {{ $value | humanizePercentage }} of what counts was bad, against ${percent(1 - slo.objective)} that may be.`,
      impact: `${slo.promise} ${urgency[severity]}`,
      place: slo.place,
      provocation: slo.name === 'correctness' ? { none: slo.provocation } : { do: slo.provocation },
    })),
  );
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(6))}%`;
}
