import { TidemarkError } from '@tidemark/kernel';
import { type Static, Type } from 'typebox';
import type { CaptureApi } from './capture-api.ts';
import type { ApiServer } from './server.ts';
import { checkpointOf, Tso } from './shapes.ts';

const Processor = Type.Object({ changefeed_id: Type.String(), capture_id: Type.String() });
const Place = Type.Object({ id: Type.String(), capture: Type.String() });
type Place = Static<typeof Place>;

/** The parts of a changefeed by capture; here one capture runs the whole (TiDB documentation, "TiCDC OpenAPI v2"). */
export function processorRoutes(server: ApiServer, api: CaptureApi): void {
  const list = () =>
    [...api.changefeeds.statuses().keys()].map(id => ({ changefeed_id: id, capture_id: api.captureId }));
  const find = async ({ id, capture }: Place) => {
    const view = await api.changefeeds.get(id);
    if (capture === api.captureId) return view;
    throw new TidemarkError('CAPTURE_NOT_FOUND', `capture ${capture} does not exist`, {
      hint: 'GET /api/v2/captures lists them.',
    });
  };

  server.get(
    '/api/v2/processors',
    { schema: { response: { 200: Type.Object({ total: Type.Integer(), items: Type.Array(Processor) }) } } },
    async () => ({ total: list().length, items: list() }),
  );
  server.get('/api/v1/processors', { schema: { response: { 200: Type.Array(Processor) } } }, async () =>
    list(),
  );
  server.get<{ Params: Place }>(
    '/api/v2/processors/:id/:capture',
    { schema: { params: Place, response: { 200: Type.Object({ table_ids: Type.Array(Type.Integer()) }) } } },
    async ({ params }) => {
      await find(params);
      return { table_ids: [] };
    },
  );
  server.get<{ Params: Place }>(
    '/api/v1/processors/:id/:capture',
    {
      schema: {
        params: Place,
        response: {
          200: Type.Object({
            checkpoint_ts: Tso,
            resolved_ts: Tso,
            table_ids: Type.Array(Type.Integer()),
            error: Type.Null(),
          }),
        },
      },
    },
    async ({ params }) => {
      const checkpoint = checkpointOf(await find(params));
      return { checkpoint_ts: checkpoint, resolved_ts: checkpoint, table_ids: [], error: null };
    },
  );
}
