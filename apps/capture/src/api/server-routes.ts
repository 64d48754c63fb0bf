import { TidemarkError } from '@tidemark/kernel';
import { type Static, Type } from 'typebox';
import { type CaptureApi, captureItem, clusterId } from './capture-api.ts';
import type { ApiServer } from './server.ts';
import { serviceVersion } from './shapes.ts';

const Nothing = Type.Object({});
const ServerStatus = Type.Object({
  version: Type.String(),
  git_hash: Type.String(),
  id: Type.String(),
  cluster_id: Type.String(),
  pid: Type.Integer(),
  is_owner: Type.Boolean(),
  liveness: Type.Integer({ description: '0: alive' }),
});
const CaptureItem = Type.Object({
  id: Type.String(),
  is_owner: Type.Boolean(),
  address: Type.String(),
  cluster_id: Type.String(),
});

const LogLevel = Type.Object(
  { log_level: Type.Enum(['debug', 'info', 'warn', 'error', 'fatal']) },
  { additionalProperties: false },
);

function serverStatus(api: CaptureApi): Static<typeof ServerStatus> {
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

/** What the server says about itself, in both versions (pingcap/ticdc, api/v2; pingcap/tiflow, cdc/api). */
export function serverRoutes(server: ApiServer, api: CaptureApi): void {
  for (const base of ['/api/v1', '/api/v2']) {
    server.get(`${base}/health`, { schema: { response: { 200: Nothing } } }, async () => {
      await api.ping().catch((cause: unknown) => {
        throw new TidemarkError('CLUSTER_UNHEALTHY', 'the database of changefeeds does not answer', {
          cause,
        });
      });
      return {};
    });
  }
  for (const path of ['/status', '/api/v1/status', '/api/v2/status']) {
    server.get(path, { schema: { response: { 200: ServerStatus } } }, async () => serverStatus(api));
  }
  for (const path of ['/api/v1/log', '/api/v2/log']) {
    server.post<{ Body: Static<typeof LogLevel> }>(
      path,
      { schema: { body: LogLevel, response: { 200: Nothing } } },
      async ({ body }) => {
        api.setLogLevel(body.log_level);
        return {};
      },
    );
  }
  server.get('/api/v1/captures', { schema: { response: { 200: Type.Array(CaptureItem) } } }, async () => [
    captureItem(api),
  ]);
  server.get(
    '/api/v2/captures',
    {
      schema: {
        response: { 200: Type.Object({ total: Type.Integer(), items: Type.Array(CaptureItem) }) },
      },
    },
    async () => ({ total: 1, items: [captureItem(api)] }),
  );
}
