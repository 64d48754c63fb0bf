export {
  httpBuckets,
  type MetricDefinition,
  type MetricKind,
  type MetricUnit,
  type Stability,
  workBuckets,
} from './catalogue/definition.ts';
export { type LabelsOf, type MetricName, type MetricNameOf, metricCatalogue } from './catalogue.ts';
export { type ForeignMetric, type ForeignMetricName, foreignMetrics } from './foreign-metrics.ts';
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
export { type CountedPool, exposePool } from './pool-gauges.ts';
