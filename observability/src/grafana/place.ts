/** Dashboards by their stable id. */
export const dashboardIds = {
  slo: 'tidemark-slo',
  api: 'tidemark-api',
  flow: 'tidemark-flow',
  consumer: 'tidemark-consumer',
  changes: 'tidemark-changes',
  stores: 'tidemark-stores',
  telemetry: 'tidemark-telemetry',
} as const;
export type DashboardKey = keyof typeof dashboardIds;

/** Where to look when an alert comes: a row of a dashboard. */
export interface Place {
  readonly dashboard: DashboardKey;
  readonly row: string;
}
