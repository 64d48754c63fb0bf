import { Overview, PipelineList } from '@tidemark/contracts';
import type { FastifyRequest } from 'fastify';
import type { Api } from '../http/api.ts';
import { answers } from '../http/answers.ts';
import { drawOverview } from './overview.ts';
import { listPipelines } from './pipeline-list.ts';
import { Rates } from './rates.ts';
import type { ShapeCheck, Snapshot } from './snapshot.ts';

const tags = ['pipelines'];

/** What the console draws. Both routes answer also while parts of the stack are down, and say which. */
export function pipelineRoutes(api: Api, snapshot: (hasShape: ShapeCheck) => Promise<Snapshot>): void {
  const rates = new Rates();
  const list = {
    tags,
    summary: 'Pipelines with position, lag, rate and books',
    response: answers({ 200: PipelineList }),
  };
  api.get('/api/pipelines', { schema: list }, async request => ({
    items: [...listPipelines(await snapshot(shapeCheck(request)))],
  }));
  let drawn: { readonly from: Snapshot; readonly overview: Overview } | undefined;
  const overview = {
    tags,
    summary: 'The way of a change: rate, lag and state of each station',
    response: answers({ 200: Overview }),
  };
  api.get('/api/overview', { schema: overview }, async request => {
    const from = await snapshot(shapeCheck(request));
    // One drawing for each snapshot: rates come from the difference to the one before.
    if (drawn?.from !== from) drawn = { from, overview: drawOverview(from, rates) };
    return drawn.overview;
  });
}

function shapeCheck(request: FastifyRequest): ShapeCheck {
  return (schema, value) => request.compileValidationSchema(schema)(value);
}
