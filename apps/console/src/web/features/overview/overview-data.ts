import { queryOptions } from '@tanstack/react-query';
import type { Overview, Pipeline } from '@tidemark/contracts';
import { callApi } from '../../shared/api-client.ts';
import { samples } from './samples.ts';

/** The api looks at the services at most this often, so asking faster would bring nothing. */
const refreshMs = 2000;

/** The whole at a glance. Each answer is also kept as a sample for the charts. */
export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  refetchInterval: refreshMs,
  async queryFn({ signal }): Promise<Overview> {
    const overview = await callApi<Overview>('/api/overview', { signal });
    samples.add(overview);
    return overview;
  },
});

export const pipelinesQuery = queryOptions({
  queryKey: ['pipelines'],
  refetchInterval: refreshMs,
  queryFn: async ({ signal }): Promise<readonly Pipeline[]> =>
    (await callApi<{ items: Pipeline[] }>('/api/pipelines', { signal })).items,
});

/** Events that were lost sight of make everything else unimportant; then the worst station counts. */
export function worstState(overview: Overview): 'ok' | 'degraded' | 'down' | 'unknown' {
  if (overview.unaccounted !== 0) return 'down';
  for (const state of ['down', 'degraded', 'unknown'] as const) {
    if (overview.stations.some(station => station.state === state)) return state;
  }
  return 'ok';
}
