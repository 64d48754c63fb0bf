import { everyServiceMetrics } from './catalogue/every-service.ts';
import { apiMetrics } from './catalogue/api.ts';
import { captureMetrics } from './catalogue/capture.ts';
import { brokerMetrics } from './catalogue/broker.ts';
import { producerMetrics } from './catalogue/producer.ts';
import { consumerMetrics } from './catalogue/consumer.ts';
import type { MetricDefinition, MetricKind } from './catalogue/definition.ts';

/**
 * Every metric of every service, declared once: registries, documentation and tests derive from it. The names that
 * existing dashboards know are kept as they are; new ones follow the Prometheus conventions (base units, `_total`).
 */
export const metricCatalogue = {
  ...everyServiceMetrics,
  ...apiMetrics,
  ...captureMetrics,
  ...brokerMetrics,
  ...producerMetrics,
  ...consumerMetrics,
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricCatalogue;
export type MetricNameOf<K extends MetricKind> = {
  [N in MetricName]: (typeof metricCatalogue)[N]['kind'] extends K ? N : never;
}[MetricName];
export type LabelsOf<N extends MetricName> = (typeof metricCatalogue)[N]['labels'][number];
