import { getHeapStatistics } from 'node:v8';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricDefinition } from './catalogue/definition.ts';
import { type LabelsOf, type MetricNameOf, metricCatalogue } from './catalogue.ts';

/** A registry of one process. Instruments are made on first use, from the catalogue only. */
export interface Metrics {
  counter<N extends MetricNameOf<'counter'>>(name: N): Counter<LabelsOf<N>>;
  gauge<N extends MetricNameOf<'gauge'>>(name: N): Gauge<LabelsOf<N>>;
  histogram<N extends MetricNameOf<'histogram'>>(name: N): Histogram<LabelsOf<N>>;
  /**
   * Runs before each scrape; sets gauges whose truth lies elsewhere. One that fails, or takes longer than a scrape may
   * wait, is counted and leaves the rest of the metrics as they are: they are needed most when something is down.
   */
  beforeScrape(collect: () => void | Promise<void>): void;
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsOptions {
  /** Node's and the process's own metrics; on unless a test switches them off. */
  readonly defaults?: boolean;
  /** How long a scrape waits for what {@link Metrics.beforeScrape} added, milliseconds. */
  readonly collectTimeoutMs?: number;
}

type Collector = () => void | Promise<void>;

export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (options.defaults ?? true) collectDefaultMetrics({ register: registry });
  const collectors: Collector[] = [];
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

  const failures = instrument(
    'scrape_collector_failures_total',
    definition => new Counter(base('scrape_collector_failures_total', definition)),
  );

  if (options.defaults ?? true) {
    const limit = instrument(
      'nodejs_heap_limit_bytes',
      definition => new Gauge(base('nodejs_heap_limit_bytes', definition)),
    );
    limit.set(getHeapStatistics().heap_size_limit);
  }

  return {
    counter: name => instrument(name, definition => new Counter(base(name, definition))),
    gauge: name => instrument(name, definition => new Gauge(base(name, definition))),
    histogram: name =>
      instrument(
        name,
        definition => new Histogram({ ...base(name, definition), buckets: [...(definition.buckets ?? [])] }),
      ),
    beforeScrape: collect => void collectors.push(oneAtATime(collect)),
    async expose() {
      const within = options.collectTimeoutMs ?? 2000;
      const outcomes = await Promise.allSettled(collectors.map(collect => inTime(collect, within)));
      failures.inc(outcomes.filter(({ status }) => status === 'rejected').length);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** A collector that hangs must not be started again by every scrape; those that come meanwhile wait for the same run. */
function oneAtATime(collect: Collector): Collector {
  let running: Promise<void> | undefined;
  return () => {
    running ??= (async () => collect())().finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function inTime(collect: Collector, withinMs: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no value within ${withinMs} ms`)), withinMs);
  try {
    await Promise.race([collect(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
