export {
  httpBuckets,
  type MetricDefinition,
  type MetricKind,
  type MetricName,
  metricCatalogue,
  workBuckets,
} from './catalogue.ts';
export { createLogger, type Logger, type LoggerOptions, silentLogger } from './logger.ts';
export { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
export {
  createOps,
  explainListenError,
  type FurtherRoutes,
  mountOps,
  type Ops,
  type OpsAnswer,
  type OpsOptions,
  type OpsServer,
  opsRoutes,
  opsServer,
  type ReadinessCheck,
  type RouteRegistrar,
} from './ops.ts';
