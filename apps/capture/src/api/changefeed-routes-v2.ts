import { type Static, Type } from 'typebox';
import { changefeedStates } from '../changefeed/changefeed.ts';
import { completeConfig, GivenConfig } from '../changefeed/replica-config.ts';
import { type CaptureApi, refuseOverwrite, refuseTimeTravel } from './capture-api.ts';
import type { ApiServer } from './server.ts';
import { ChangefeedSynced, toSynced } from './synced.ts';
import {
  ChangefeedInfo,
  ChangefeedItem,
  ChangefeedStatus,
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
    source_uri: Type.Optional(Type.String({ minLength: 1 })),
    start_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    target_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    replica_config: Type.Optional(GivenConfig),
  },
  { additionalProperties: false },
);

/** A configuration that is given replaces the whole; what it leaves out gets its default. */
const Update = Type.Object(
  {
    sink_uri: Type.Optional(Type.String({ minLength: 1 })),
    source_uri: Type.Optional(Type.String({ minLength: 1 })),
    target_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    replica_config: Type.Optional(GivenConfig),
  },
  { additionalProperties: false },
);

/** Tables whose existing rows are wanted; not part of TiCDC. */
const Copy = Type.Object(
  { rules: Type.Array(Type.String(), { minItems: 1 }) },
  { additionalProperties: false },
);

/** An absent body is as good as an empty one. */
const Resume = Type.Union([
  Type.Object(
    { overwrite_checkpoint_ts: Type.Optional(Type.Integer({ minimum: 0 })) },
    { additionalProperties: false },
  ),
  Type.Null(),
]);

/** Removes a changefeed whose source is gone for good; not part of TiCDC. */
const Force = Type.Object({ force: Type.Optional(Type.Enum(['true', 'false'])) });

export const StateFilter = Type.Object({
  state: Type.Optional(Type.Enum([...changefeedStates, 'all', 'pending'])),
});
export type StateFilter = Static<typeof StateFilter>;

const Nothing = Type.Object({});

/** The changefeeds in the wanted state; without a wish, all but finished ones (TiDB documentation, "TiCDC OpenAPI v2"). */
export async function listed({ changefeeds }: CaptureApi, { state }: StateFilter) {
  const all = await changefeeds.list();
  if (state === 'all') return all;
  return all.filter(view => (state === undefined ? stateOf(view) !== 'finished' : stateOf(view) === state));
}

const base = '/api/v2/changefeeds';

/** Changefeeds in TiCDC OpenAPI v2 (pingcap/ticdc, api/v2). */
export function changefeedRoutesV2(server: ApiServer, api: CaptureApi): void {
  const { changefeeds, address } = api;

  server.post<{ Body: Static<typeof Create> }>(
    base,
    { schema: { body: Create, response: { 200: ChangefeedInfo } } },
    async ({ body }) => {
      refuseTimeTravel(body);
      const { changefeed_id: id, sink_uri: sinkUri, source_uri: sourceUri, replica_config: config } = body;
      const request = { id, sinkUri, sourceUri, config: completeConfig(config) };
      return toInfo(await changefeeds.create(request), address());
    },
  );
  server.get<{ Querystring: StateFilter }>(
    base,
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
    `${base}/:id`,
    { schema: { params: Id, response: { 200: ChangefeedInfo } } },
    async ({ params }) => toInfo(await changefeeds.get(params.id), address()),
  );
  server.put<{ Params: Id; Body: Static<typeof Update> }>(
    `${base}/:id`,
    { schema: { params: Id, body: Update, response: { 200: ChangefeedInfo } } },
    async ({ params, body }) => {
      refuseTimeTravel(body);
      const { sink_uri: sinkUri, source_uri: sourceUri, replica_config: config } = body;
      const changes = {
        ...(sinkUri === undefined ? {} : { sinkUri }),
        ...(sourceUri === undefined ? {} : { sourceUri }),
        ...(config === undefined ? {} : { config: completeConfig(config) }),
      };
      return toInfo(await changefeeds.update(params.id, changes), address());
    },
  );
  server.get<{ Params: Id }>(
    `${base}/:id/status`,
    { schema: { params: Id, response: { 200: ChangefeedStatus } } },
    async ({ params }) => toStatus(await changefeeds.get(params.id), address()),
  );
  syncedRoute(server, api);
  actionRoutes(server, api);
}

/** Whether everything has arrived, by TiCDC's measure. */
function syncedRoute(server: ApiServer, { changefeeds, now }: CaptureApi): void {
  server.get<{ Params: Id }>(
    `${base}/:id/synced`,
    { schema: { params: Id, response: { 200: ChangefeedSynced } } },
    async ({ params }) => toSynced(await changefeeds.get(params.id), now()),
  );
}

/** What can be done with a changefeed. */
function actionRoutes(server: ApiServer, { changefeeds }: CaptureApi): void {
  server.post<{ Params: Id; Body: Static<typeof Copy> }>(
    `${base}/:id/copy`,
    { schema: { params: Id, body: Copy, response: { 200: Nothing } } },
    async ({ params, body }) => {
      await changefeeds.copy(params.id, body.rules);
      return {};
    },
  );
  server.post<{ Params: Id }>(
    `${base}/:id/pause`,
    { schema: { params: Id, response: { 200: Nothing } } },
    async ({ params }) => {
      await changefeeds.pause(params.id);
      return {};
    },
  );
  server.post<{ Params: Id; Body: Static<typeof Resume> | undefined }>(
    `${base}/:id/resume`,
    { schema: { params: Id, body: Resume, response: { 200: Nothing } } },
    async ({ params, body }) => {
      refuseOverwrite(body?.overwrite_checkpoint_ts);
      await changefeeds.resume(params.id);
      return {};
    },
  );
  server.delete<{ Params: Id; Querystring: Static<typeof Force> }>(
    `${base}/:id`,
    { schema: { params: Id, querystring: Force, response: { 200: Nothing } } },
    async ({ params, query }) => {
      await changefeeds.remove(params.id, query.force === 'true');
      return {};
    },
  );
}
