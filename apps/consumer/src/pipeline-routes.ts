import type { FurtherRoutes, OpsAnswer } from '@tidemark/observability';
import type { HostedPipeline, PipelineHost } from './host.ts';
import type { LagSampler } from './lag-sampler.ts';
import { reportPipelines } from './pipelines-report.ts';

/**
 * `GET /pipelines` reports; `POST /pipelines/NAME/pause`, `/resume` and `/settings?eventsPerSec=…&concurrency=…`
 * change a running pipeline. Changes last until the process ends.
 */
export function pipelineRoutes(
  hosted: readonly HostedPipeline[],
  lags: LagSampler,
  host: PipelineHost,
): FurtherRoutes {
  const report = async () => answer(200, await reportPipelines(hosted, lags, host.pool, host.clock.now()));
  return (method, url) => {
    if (method === 'GET' && url.pathname === '/pipelines') return report();
    const [, name, action] = /^\/pipelines\/([^/]+)\/(pause|resume|settings)$/.exec(url.pathname) ?? [];
    if (method !== 'POST' || name === undefined) return undefined;
    const found = hosted.find(one => one.name === decodeURIComponent(name));
    if (!found) return refuse(404, 'PIPELINE_UNKNOWN', `there is no pipeline ${name} here`);
    return change(found, action, url.searchParams);
  };
}

async function change(
  hosted: HostedPipeline,
  action: string | undefined,
  query: URLSearchParams,
): Promise<OpsAnswer> {
  const { name, pipeline } = hosted;
  if (action === 'pause') pipeline.pause();
  if (action === 'resume') pipeline.resume();
  if (action === 'settings') {
    const eventsPerSec = positive(query.get('eventsPerSec'));
    const concurrency = positive(query.get('concurrency'));
    if (Number.isNaN(eventsPerSec) || Number.isNaN(concurrency) || !Number.isInteger(concurrency ?? 1)) {
      return refuse(
        400,
        'BAD_REQUEST',
        'eventsPerSec must be above 0, or "unlimited"; concurrency a whole number above 0',
      );
    }
    if (eventsPerSec !== undefined) pipeline.setRate(eventsPerSec);
    if (concurrency !== undefined) pipeline.setConcurrency(concurrency);
  }
  return answer(200, { name, state: pipeline.status().state });
}

/** Undefined when absent, NaN when it is not a number above 0. */
function positive(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (text === 'unlimited') return Infinity;
  const value = Number(text);
  return value > 0 ? value : Number.NaN;
}

async function refuse(status: number, code: string, message: string): Promise<OpsAnswer> {
  return answer(status, { error: { code, message } });
}

function answer(status: number, value: unknown): OpsAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}
