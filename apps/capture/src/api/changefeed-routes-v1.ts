import { type Static, Type } from 'typebox';
import { completeConfig, type GivenConfig, type ReplicaConfig } from '../changefeed/replica-config.ts';
import { partitionRules } from '../tables/dispatcher.ts';
import { type CaptureApi, refuseTimeTravel } from './capture-api.ts';
import { listed, StateFilter } from './changefeed-routes-v2.ts';
import type { ApiServer } from './server.ts';
import { ChangefeedDetailV1, ChangefeedItem, toDetailV1, toItem } from './shapes.ts';

const Id = Type.Object({ id: Type.String() });
type Id = Static<typeof Id>;

const strict = { additionalProperties: false };
const Names = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });

/** A rule may be called by its older name. */
const Dispatcher = Type.Object(
  {
    matcher: Names,
    dispatcher: Type.Optional(Type.Enum([...partitionRules])),
    partition: Type.Optional(Type.Enum([...partitionRules])),
    columns: Type.Optional(Names),
    index: Type.Optional(Type.String({ minLength: 1 })),
  },
  strict,
);

const SinkConfig = Type.Object(
  {
    protocol: Type.Optional(Type.Literal('canal-json')),
    dispatchers: Type.Optional(Type.Array(Dispatcher)),
    column_selectors: Type.Optional(Type.Array(Type.Object({ matcher: Names, columns: Names }, strict))),
  },
  strict,
);

/** What `cdc/model/http_model.go` of pingcap/tiflow calls ChangefeedConfig. */
const Config = {
  start_ts: Type.Optional(Type.Integer({ minimum: 0 })),
  target_ts: Type.Optional(Type.Integer({ minimum: 0 })),
  force_replicate: Type.Optional(Type.Boolean()),
  ignore_ineligible_table: Type.Optional(Type.Boolean()),
  filter_rules: Type.Optional(Names),
  ignore_txn_start_ts: Type.Optional(Type.Array(Type.Any(), { maxItems: 0 })),
  timezone: Type.Optional(
    Type.Enum(['', 'system', 'UTC'], { description: 'Times are always written in UTC' }),
  ),
  mounter_worker_num: Type.Optional(Type.Integer({ description: 'Has no counterpart here' })),
  sink_config: Type.Optional(SinkConfig),
};

const Create = Type.Object(
  {
    changefeed_id: Type.Optional(Type.String()),
    sink_uri: Type.String({ minLength: 1 }),
    source_uri: Type.Optional(Type.String({ minLength: 1 })),
    ...Config,
  },
  strict,
);

const Update = Type.Object(
  {
    sink_uri: Type.Optional(Type.String({ minLength: 1 })),
    source_uri: Type.Optional(Type.String({ minLength: 1 })),
    ...Config,
  },
  strict,
);

/** The configuration that a request of version 1 asks for. */
function givenConfig(body: Static<typeof Update>): GivenConfig {
  const { force_replicate, ignore_ineligible_table, filter_rules: rules, sink_config: sink } = body;
  const dispatchers = sink?.dispatchers?.map(({ dispatcher, partition, ...rest }) => ({
    ...rest,
    partition: partition ?? dispatcher ?? ('default' as const),
  }));
  return {
    ...(force_replicate === undefined ? {} : { force_replicate }),
    ...(ignore_ineligible_table === undefined ? {} : { ignore_ineligible_table }),
    ...(rules === undefined ? {} : { filter: { rules } }),
    sink: {
      ...(dispatchers === undefined ? {} : { dispatchers }),
      ...(sink?.column_selectors === undefined ? {} : { column_selectors: sink.column_selectors }),
    },
  };
}

/** In version 1 an update changes what it names and leaves the rest. */
function changedConfig(config: ReplicaConfig, body: Static<typeof Update>): ReplicaConfig {
  const given = givenConfig(body);
  return completeConfig({ ...config, ...given, sink: { ...config.sink, ...given.sink } });
}

const base = '/api/v1/changefeeds';

/** The calls about changefeeds of TiCDC OpenAPI v1; changes answer 202 without a body (pingcap/tiflow, cdc/api/v1). */
export function changefeedRoutesV1(server: ApiServer, api: CaptureApi): void {
  const { changefeeds, address } = api;

  server.post<{ Body: Static<typeof Create> }>(
    base,
    { schema: { body: Create } },
    async ({ body }, reply) => {
      refuseTimeTravel(body);
      const { changefeed_id: id, sink_uri: sinkUri, source_uri: sourceUri } = body;
      await changefeeds.create({ id, sinkUri, sourceUri, config: completeConfig(givenConfig(body)) });
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
  server.put<{ Params: Id; Body: Static<typeof Update> }>(
    `${base}/:id`,
    { schema: { params: Id, body: Update } },
    async ({ params, body }, reply) => {
      refuseTimeTravel(body);
      const { config } = await changefeeds.get(params.id);
      await changefeeds.update(params.id, {
        ...(body.sink_uri === undefined ? {} : { sinkUri: body.sink_uri }),
        ...(body.source_uri === undefined ? {} : { sourceUri: body.source_uri }),
        config: changedConfig(config, body),
      });
      return reply.code(202).send();
    },
  );
  actionRoutes(server, api);
}

function actionRoutes(server: ApiServer, { changefeeds }: CaptureApi): void {
  const actions: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
    pause: id => changefeeds.pause(id),
    resume: id => changefeeds.resume(id),
    // There is one capture, so tables are where they belong.
    'tables/rebalance_table': id => changefeeds.get(id),
  };
  for (const [name, act] of Object.entries(actions)) {
    server.post<{ Params: Id }>(
      `${base}/:id/${name}`,
      { schema: { params: Id } },
      async ({ params }, reply) => {
        await act(params.id);
        return reply.code(202).send();
      },
    );
  }
  server.delete<{ Params: Id }>(`${base}/:id`, { schema: { params: Id } }, async ({ params }, reply) => {
    await changefeeds.get(params.id);
    await changefeeds.remove(params.id);
    return reply.code(202).send();
  });
}
