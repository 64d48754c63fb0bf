import type { Metrics } from './metrics.ts';

/** The shape of a connection pool (`pg` has it) as far as the gauges need it. */
export interface CountedPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** Shows at each scrape what the connections of a pool do, and what waits for one. */
export function exposePool(metrics: Metrics, pool: CountedPool, limit: number): void {
  const connections = metrics.gauge('db_pool_connections');
  const limits = metrics.gauge('db_pool_limit_connections');
  const waiting = metrics.gauge('db_pool_waiting_statements');
  metrics.beforeScrape(() => {
    connections.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
    connections.set({ state: 'idle' }, pool.idleCount);
    limits.set(limit);
    waiting.set(pool.waitingCount);
  });
}
