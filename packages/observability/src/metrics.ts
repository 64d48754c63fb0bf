import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type LabelsOf, type MetricDefinition, type MetricNameOf, metricCatalogue } from './catalogue.ts';

/** A registry of one process. Instruments are made on first use, from the catalogue only. */
export interface Metrics {
  counter<N extends MetricNameOf<'counter'>>(name: N): Counter<LabelsOf<N>>;
  gauge<N extends MetricNameOf<'gauge'>>(name: N): Gauge<LabelsOf<N>>;
  histogram<N extends MetricNameOf<'histogram'>>(name: N): Histogram<LabelsOf<N>>;
  /** Runs before each scrape; sets gauges whose truth lies elsewhere. */
  beforeScrape(collect: () => void | Promise<void>): void;
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsOptions {
  /** Node's and the process's own metrics; on unless a test switches them off. */
  readonly defaults?: boolean;
}

export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (options.defaults ?? true) collectDefaultMetrics({ register: registry });
  const collectors: (() => void | Promise<void>)[] = [];
  const made = new Map<string, Counter | Gauge | Histogram>();

  function instrument<T extends Counter | Gauge | Histogram>(
    name: keyof typeof metricCatalogue,
    make: (definition: MetricDefinition) => T,
  ): T {
    const existing = made.get(name);
    if (existing) return existing as T;
    const created = make(metricCatalogue[name]);
    made.set(name, created);
    return created;
  }
  const base = (name: string, definition: MetricDefinition) => ({
    name,
    help: definition.help,
    labelNames: [...definition.labels],
    registers: [registry],
  });

  return {
    counter: name => instrument(name, definition => new Counter(base(name, definition))),
    gauge: name => instrument(name, definition => new Gauge(base(name, definition))),
    histogram: name =>
      instrument(
        name,
        definition => new Histogram({ ...base(name, definition), buckets: [...(definition.buckets ?? [])] }),
      ),
    beforeScrape: collect => void collectors.push(collect),
    async expose() {
      for (const collect of collectors) await collect();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
