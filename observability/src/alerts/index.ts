import { slos } from '../slos.ts';
import type { AlertSpec } from './alert.ts';
import { apiAlerts } from './api.ts';
import { brokerAlerts } from './broker.ts';
import { burnAlerts } from './burn.ts';
import { captureAlerts } from './capture.ts';
import { lagAlerts } from './lag.ts';
import { machineAlerts } from './machine.ts';
import { metaAlerts } from './meta.ts';
import { pipelineAlerts } from './pipelines.ts';
import { runtimeAlerts } from './runtime.ts';

/** Every alert by the file of rules that it stands in. */
export const alertFiles = {
  'slo-burn': burnAlerts(slos),
  api: apiAlerts,
  capture: captureAlerts,
  pipelines: pipelineAlerts,
  lag: lagAlerts,
  broker: brokerAlerts,
  runtime: runtimeAlerts,
  machine: machineAlerts,
  meta: metaAlerts,
} as const satisfies Record<string, readonly AlertSpec[]>;

export const alerts: readonly AlertSpec[] = Object.values(alertFiles).flat();
/** Each once: the two burns of an objective share name, runbook and dashboard. */
export const alertNames: readonly string[] = [...new Set(alerts.map(({ name }) => name))];

export type { AlertSpec, Provocation, Severity } from './alert.ts';
