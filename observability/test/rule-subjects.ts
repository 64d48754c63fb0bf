import { type AlertSpec, alerts } from '../src/alerts/index.ts';
import { alertingRule } from '../src/prometheus/alert-rules.ts';
import type { AlertingRule, RuleFile } from '../src/prometheus/rule-file.ts';
import { defaultSettings } from '../src/settings.ts';
import type { AlertCase } from './alert-case.ts';

/** The alert that a case is about; an objective has two of one name. */
export function specOf({ alert, severity }: Pick<AlertCase, 'alert' | 'severity'>): AlertSpec {
  const found = alerts.find(
    spec => spec.name === alert && (severity === undefined || spec.severity === severity),
  );
  if (!found) throw new Error(`there is no alert ${alert} ${severity ?? ''}`);
  return found;
}

/** Name of a file of rules that holds this alert alone. */
export const alertFileOf = ({ name, severity }: AlertSpec) => `${name}-${severity}`;

export const soleRuleFile = (spec: AlertSpec): RuleFile => fileOf(alertingRule(spec, defaultSettings));

export const fileOf = (rule: AlertingRule): RuleFile => ({ groups: [{ name: 'sole', rules: [rule] }] });
