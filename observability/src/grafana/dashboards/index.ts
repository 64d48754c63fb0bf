import type { Dashboard } from '../dashboard.ts';
import { apiDashboard } from './api.ts';
import { changesDashboard } from './changes.ts';
import { consumerDashboard } from './consumer.ts';
import { flowDashboard } from './flow.ts';
import { sloDashboard } from './slo.ts';
import { storesDashboard } from './stores.ts';
import { telemetryDashboard } from './telemetry.ts';

/** From the verdict to the causes. */
export const dashboards: readonly Dashboard[] = [
  sloDashboard,
  apiDashboard,
  flowDashboard,
  consumerDashboard,
  changesDashboard,
  storesDashboard,
  telemetryDashboard,
];
