import { mountOps, type Ops, type OpsAnswer } from '@tidemark/observability';
import type { FastifyReply } from 'fastify';
import type { Api } from './api.ts';

export interface OperationParts {
  readonly ops: Ops;
  /** Rejects when the database does not answer. */
  readonly checkDatabase: () => Promise<void>;
}

const tags = ['operation'];
const access = 'public' as const;

/** What probes, scrapers and people ask about the service itself, under the paths of old and of new. */
export function operationRoutes(api: Api, { ops, checkDatabase }: OperationParts): void {
  mountOps(api, ops);
  const add = (path: string, summary: string, answer: () => OpsAnswer | Promise<OpsAnswer>) =>
    api.get(path, { schema: { tags, summary }, config: { access } }, async (_request, reply) =>
      send(reply, await answer()),
    );
  add('/api/health', 'Whether the process is alive', () => ops.health());
  add('/api/ready', 'Whether everything that the api needs answers', () => ops.ready());
  add('/api/metrics', 'Metrics in the Prometheus text format', () => ops.metrics());
  const schema = { tags, summary: 'Whether the database answers' };
  api.get('/api/db-health', { schema, config: { access } }, async () => {
    await checkDatabase();
    return { status: 'ok' };
  });
}

function send(reply: FastifyReply, { status, contentType, body }: OpsAnswer): FastifyReply {
  return reply.code(status).header('content-type', contentType).send(body);
}
