import { TidemarkError } from '@tidemark/kernel';
import { type Static, Type } from 'typebox';
import { changefeedStates } from '../changefeed/changefeed.ts';
import { completeConfig, GivenConfig } from '../changefeed/replica-config.ts';
import { type CaptureApi, clusterId, refuseTimeTravel } from './capture-api.ts';
import type { ApiServer } from './server.ts';
import {
  ChangefeedInfo,
  ChangefeedItem,
  ChangefeedStatus,
  serviceVersion,
  stateOf,
  toInfo,
  toItem,
  toStatus,
} from './shapes.ts';

const Id = Type.Object({ id: Type.String() });
type Id = Static<typeof Id>;

const Create = Type.Object(
  {
    changefeed_id: Type.Optional(Type.String()),
    sink_uri: Type.String({ minLength: 1 }),
    start_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    target_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    replica_config: Type.Optional(GivenConfig),
  },
  { additionalProperties: false },
);

export const StateFilter = Type.Object({
  state: Type.Optional(Type.Enum([...changefeedStates, 'all', 'pending'])),
});
export type StateFilter = Static<typeof StateFilter>;

const Nothing = Type.Object({});
export const ServerStatus = Type.Object({
  version: Type.String(),
  git_hash: Type.String(),
  id: Type.String(),
  cluster_id: Type.String(),
  pid: Type.Integer(),
  is_owner: Type.Boolean(),
  liveness: Type.Integer({ description: '0: alive' }),
});
export const CaptureItem = Type.Object({
  id: Type.String(),
  is_owner: Type.Boolean(),
  address: Type.String(),
  cluster_id: Type.String(),
});

export function serverStatus(api: CaptureApi): Static<typeof ServerStatus> {
  return {
    version: serviceVersion,
    git_hash: '',
    id: api.captureId,
    cluster_id: clusterId,
    pid: api.pid,
    is_owner: true,
    liveness: 0,
  };
}

export function captureItem(api: CaptureApi): Static<typeof CaptureItem> {
  return { id: api.captureId, is_owner: true, address: api.address(), cluster_id: clusterId };
}

/** The changefeeds in the wanted state; without a wish, all but finished ones (TiDB documentation, "TiCDC OpenAPI v2"). */
export async function listed({ changefeeds }: CaptureApi, { state }: StateFilter) {
  const all = await changefeeds.list();
  if (state === 'all') return all;
  return all.filter(view => (state === undefined ? stateOf(view) !== 'finished' : stateOf(view) === state));
}

/** TiCDC OpenAPI v2 (pingcap/ticdc, api/v2). */
export function routesV2(server: ApiServer, api: CaptureApi): void {
  const { changefeeds, address } = api;
  const base = '/api/v2';

  server.post<{ Body: Static<typeof Create> }>(
    `${base}/changefeeds`,
    { schema: { body: Create, response: { 200: ChangefeedInfo } } },
    async ({ body }) => {
      refuseTimeTravel(body);
      const { changefeed_id: id, sink_uri: sinkUri, replica_config: config } = body;
      return toInfo(await changefeeds.create({ id, sinkUri, config: completeConfig(config) }), address());
    },
  );
  server.get<{ Querystring: StateFilter }>(
    `${base}/changefeeds`,
    {
      schema: {
        querystring: StateFilter,
        response: { 200: Type.Object({ total: Type.Integer(), items: Type.Array(ChangefeedItem) }) },
      },
    },
    async ({ query }) => {
      const items = (await listed(api, query)).map(view => toItem(view, address()));
      return { total: items.length, items };
    },
  );
  server.get<{ Params: Id }>(
    `${base}/changefeeds/:id`,
    { schema: { params: Id, response: { 200: ChangefeedInfo } } },
    async ({ params }) => toInfo(await changefeeds.get(params.id), address()),
  );
  server.get<{ Params: Id }>(
    `${base}/changefeeds/:id/status`,
    { schema: { params: Id, response: { 200: ChangefeedStatus } } },
    async ({ params }) => toStatus(await changefeeds.get(params.id), address()),
  );
  server.post<{ Params: Id }>(
    `${base}/changefeeds/:id/pause`,
    { schema: { params: Id, response: { 200: Nothing } } },
    async ({ params }) => {
      await changefeeds.pause(params.id);
      return {};
    },
  );
  server.post<{ Params: Id }>(
    `${base}/changefeeds/:id/resume`,
    { schema: { params: Id, response: { 200: Nothing } } },
    async ({ params }) => {
      await changefeeds.resume(params.id);
      return {};
    },
  );
  server.delete<{ Params: Id }>(
    `${base}/changefeeds/:id`,
    { schema: { params: Id, response: { 200: Nothing } } },
    async ({ params }) => {
      await changefeeds.remove(params.id);
      return {};
    },
  );
  server.get(`${base}/health`, { schema: { response: { 200: Nothing } } }, async () => {
    await api.ping().catch((cause: unknown) => {
      throw new TidemarkError('CLUSTER_UNHEALTHY', 'the database of changefeeds does not answer', { cause });
    });
    return {};
  });
  server.get(`${base}/status`, { schema: { response: { 200: ServerStatus } } }, async () =>
    serverStatus(api),
  );
  server.get(
    `${base}/captures`,
    {
      schema: {
        response: { 200: Type.Object({ total: Type.Integer(), items: Type.Array(CaptureItem) }) },
      },
    },
    async () => ({ total: 1, items: [captureItem(api)] }),
  );
}
