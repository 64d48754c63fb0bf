import type { Metrics } from '@tidemark/observability';
import type { Api } from './api.ts';

/**
 * Measures every request under the pattern of its route: raw paths would make one time series for each id, and for
 * each address that somebody guesses.
 */
export function measureRequests(api: Api, metrics: Metrics): void {
  const duration = metrics.histogram('http_request_duration_seconds');
  api.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.config?.unmeasured) return;
    const labels = {
      method: request.method,
      route: request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched'),
      status_code: String(reply.statusCode),
    };
    duration.observe(labels, reply.elapsedTime / 1000);
  });
}
