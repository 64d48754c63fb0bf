import type { Metrics } from '@tidemark/observability';
import type { HostedPipeline } from './host.ts';
import type { LagSampler } from './lag-sampler.ts';

const states = ['starting', 'running', 'paused', 'waiting', 'stopped'] as const;

/** Sets the gauges whose truth lies in the pipelines, at each scrape. */
export function exposeGauges(
  metrics: Metrics,
  hosted: readonly HostedPipeline[],
  lags: LagSampler,
  nowMs: () => number,
): void {
  metrics.beforeScrape(() => {
    for (const { name, group, topic, pipeline } of hosted) {
      const status = pipeline.status();
      metrics.gauge('inflight_workers').set({ pipeline: name }, status.deliveries);
      metrics.gauge('pipeline_info').set({ pipeline: name, group, topic }, 1);
      const oldest = status.oldestPendingMs;
      const age = oldest === undefined ? 0 : Math.max(0, nowMs() - oldest) / 1000;
      metrics.gauge('pipeline_oldest_pending_seconds').set({ pipeline: name }, age);
      metrics.gauge('pipeline_unaccounted_events').set({ pipeline: name }, status.unaccounted);
      for (const state of states) {
        metrics.gauge('pipeline_state').set({ pipeline: name, state }, state === status.state ? 1 : 0);
      }
      for (const { partition, lag, committed, oldestMs } of lags.sampleOf(name)?.partitions ?? []) {
        metrics.gauge('consumer_lag').set({ group, topic, partition }, Number(lag));
        const ageMs = oldestMs === undefined ? 0 : Math.max(0, nowMs() - oldestMs);
        metrics.gauge('consumer_oldest_unprocessed_seconds').set({ group, topic, partition }, ageMs / 1000);
        if (committed === undefined) continue;
        metrics.gauge('consumer_committed_offset').set({ group, topic, partition }, Number(committed));
      }
    }
  });
}
