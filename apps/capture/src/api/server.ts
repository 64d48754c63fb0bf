import { lifecycle, type Service } from '@tidemark/kernel';
import { explainListenError, type Logger, mountOps, type Ops } from '@tidemark/observability';
import Fastify, { type FastifyInstance } from 'fastify';
import { apiError } from './api-error.ts';
import type { CaptureApi } from './capture-api.ts';
import { changefeedRoutesV1 } from './changefeed-routes-v1.ts';
import { changefeedRoutesV2 } from './changefeed-routes-v2.ts';
import { processorRoutes } from './processor-routes.ts';
import { serverRoutes } from './server-routes.ts';

export type ApiServer = FastifyInstance;

export interface ApiServerOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly api: CaptureApi;
  readonly ops: Ops;
  readonly logger: Logger;
}

/** Bytes of a request body; a changefeed's configuration is far smaller. */
const bodyBytesMax = 1024 * 1024;

/** TiCDC's OpenAPI, health and metrics on one port. */
export function apiServer({
  address,
  api,
  ops,
  logger,
}: ApiServerOptions): Service & { readonly port: number } {
  const server: ApiServer = Fastify({
    bodyLimit: bodyBytesMax,
    forceCloseConnections: true,
    // A member that nobody knows is an error to be told, not one to be dropped.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: true } },
    schemaErrorFormatter: (errors, place) => {
      const faults = errors.map(({ instancePath, message, params }) => {
        const named: unknown = params['additionalProperty'] ?? params['allowedValue'];
        const extra = named === undefined ? '' : ` (${JSON.stringify(named)})`;
        return `${place}${instancePath.replaceAll('/', '.')} ${message ?? 'is invalid'}${extra}`;
      });
      return new Error(faults.join('; '));
    },
  });
  server.setErrorHandler(async (error, _request, reply) => {
    const { status, body } = apiError(error);
    if (status >= 500) logger.error({ error: body.error_msg }, 'a request failed');
    return reply.code(status).send(body);
  });
  server.setNotFoundHandler(async (request, reply) =>
    reply
      .code(404)
      .send({ error_msg: `no route ${request.method} ${request.url}`, error_code: 'CDC:ErrAPIInvalidParam' }),
  );
  // Scripts send POST …/pause without a body but with a content type.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') return done(null, undefined);
    try {
      done(null, JSON.parse(String(text)));
    } catch (error) {
      done(Object.assign(new Error(`the body is no JSON: ${String(error)}`), { statusCode: 400 }));
    }
  });
  mountOps(server, ops);
  changefeedRoutesV2(server, api);
  changefeedRoutesV1(server, api);
  processorRoutes(server, api);
  serverRoutes(server, api);
  return {
    ...lifecycle('capture api', {
      async start() {
        await server.listen(address).catch((error: unknown) => {
          throw explainListenError(error, address);
        });
      },
      stop: () => server.close(),
    }),
    get port() {
      const bound = server.server.address();
      return typeof bound === 'object' && bound !== null ? bound.port : 0;
    },
  };
}
