import { type Static, Type } from 'typebox';
import { completeConfig } from '../changefeed/replica-config.ts';
import { type CaptureApi, refuseTimeTravel } from './capture-api.ts';
import { listed, StateFilter } from './changefeed-routes-v2.ts';
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

/** The calls about changefeeds of TiCDC OpenAPI v1 that scripts use; changes answer 202 without a body (pingcap/tiflow, cdc/api/v1). */
export function changefeedRoutesV1(server: ApiServer, api: CaptureApi): void {
  const { changefeeds, address } = api;
  const base = '/api/v1/changefeeds';

  server.post<{ Body: Static<typeof Create> }>(
    base,
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
    base,
    { schema: { querystring: StateFilter, response: { 200: Type.Array(ChangefeedItem) } } },
    async ({ query }) => (await listed(api, query)).map(view => toItem(view, address())),
  );
  server.get<{ Params: Id }>(
    `${base}/:id`,
    { schema: { params: Id, response: { 200: ChangefeedDetailV1 } } },
    async ({ params }) => toDetailV1(await changefeeds.get(params.id), address()),
  );
  server.post<{ Params: Id }>(`${base}/:id/pause`, { schema: { params: Id } }, async ({ params }, reply) => {
    await changefeeds.pause(params.id);
    return reply.code(202).send();
  });
  server.post<{ Params: Id }>(`${base}/:id/resume`, { schema: { params: Id } }, async ({ params }, reply) => {
    await changefeeds.resume(params.id);
    return reply.code(202).send();
  });
  server.delete<{ Params: Id }>(`${base}/:id`, { schema: { params: Id } }, async ({ params }, reply) => {
    await changefeeds.get(params.id);
    await changefeeds.remove(params.id);
    return reply.code(202).send();
  });
}
