import { type Static, Type } from 'typebox';
import { completeConfig } from '../changefeed/replica-config.ts';
import { type CaptureApi, refuseTimeTravel } from './capture-api.ts';
import { CaptureItem, captureItem, listed, ServerStatus, StateFilter, serverStatus } from './routes-v2.ts';
import type { ApiServer } from './server.ts';
import { ChangefeedDetailV1, ChangefeedItem, toDetailV1, toItem } from './shapes.ts';

const Id = Type.Object({ id: Type.String() });
type Id = Static<typeof Id>;

const Create = Type.Object(
  {
    changefeed_id: Type.Optional(Type.String()),
    sink_uri: Type.String({ minLength: 1 }),
    start_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    target_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    force_replicate: Type.Optional(Type.Boolean()),
    ignore_ineligible_table: Type.Optional(Type.Boolean()),
    filter_rules: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    timezone: Type.Optional(
      Type.Enum(['', 'system', 'UTC'], { description: 'Times are always written in UTC' }),
    ),
    mounter_worker_num: Type.Optional(Type.Integer({ description: 'Has no counterpart here' })),
  },
  { additionalProperties: false },
);

/** The calls of TiCDC OpenAPI v1 that scripts use; changes answer 202 without a body (pingcap/tiflow, cdc/api/v1). */
export function routesV1(server: ApiServer, api: CaptureApi): void {
  const { changefeeds, address } = api;
  const base = '/api/v1';

  server.post<{ Body: Static<typeof Create> }>(
    `${base}/changefeeds`,
    { schema: { body: Create } },
    async ({ body }, reply) => {
      refuseTimeTravel(body);
      const { changefeed_id: id, sink_uri: sinkUri, filter_rules: rules, ...rest } = body;
      const config = completeConfig({ ...rest, ...(rules === undefined ? {} : { filter: { rules } }) });
      await changefeeds.create({ id, sinkUri, config });
      return reply.code(202).send();
    },
  );
  server.get<{ Querystring: StateFilter }>(
    `${base}/changefeeds`,
    { schema: { querystring: StateFilter, response: { 200: Type.Array(ChangefeedItem) } } },
    async ({ query }) => (await listed(api, query)).map(view => toItem(view, address())),
  );
  server.get<{ Params: Id }>(
    `${base}/changefeeds/:id`,
    { schema: { params: Id, response: { 200: ChangefeedDetailV1 } } },
    async ({ params }) => toDetailV1(await changefeeds.get(params.id), address()),
  );
  server.post<{ Params: Id }>(
    `${base}/changefeeds/:id/pause`,
    { schema: { params: Id } },
    async ({ params }, reply) => {
      await changefeeds.pause(params.id);
      return reply.code(202).send();
    },
  );
  server.post<{ Params: Id }>(
    `${base}/changefeeds/:id/resume`,
    { schema: { params: Id } },
    async ({ params }, reply) => {
      await changefeeds.resume(params.id);
      return reply.code(202).send();
    },
  );
  server.delete<{ Params: Id }>(
    `${base}/changefeeds/:id`,
    { schema: { params: Id } },
    async ({ params }, reply) => {
      await changefeeds.get(params.id);
      await changefeeds.remove(params.id);
      return reply.code(202).send();
    },
  );
  server.get(`${base}/captures`, { schema: { response: { 200: Type.Array(CaptureItem) } } }, async () => [
    captureItem(api),
  ]);
  for (const path of ['/status', `${base}/status`]) {
    server.get(path, { schema: { response: { 200: ServerStatus } } }, async () => serverStatus(api));
  }
  server.get(`${base}/health`, async () => {
    await api.ping();
    return {};
  });
}
