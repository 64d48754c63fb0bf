import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { Logger, Metrics } from '@tidemark/observability';
import { type FastifyBaseLogger, fastify, LogController } from 'fastify';
import type { Api } from './api.ts';
import { documentRoutes } from './api-documentation.ts';
import { answerErrors, answerWith, malformedRequest } from './error-handling.ts';
import { measureRequests } from './request-metrics.ts';
import { readNumbersFromText } from './text-parameters.ts';
import { continueTrace } from './trace-context.ts';

export interface ServerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  /** True when clients reach the api over HTTPS only. */
  readonly httpsOnly: boolean;
}

/** A review of 10,000 characters fits, also when each of them is escaped. */
const bodyBytesMax = 128 * 1024;

/** An HTTP server with everything that all routes share, and no route of its own but the documentation. */
export async function createServer(options: ServerOptions): Promise<Api> {
  const api: Api = fastify({
    loggerInstance: options.logger.child({}, { level: 'warn' }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: [...options.trustedProxies],
    bodyLimit: bodyBytesMax,
    requestTimeout: 30_000,
    // Longer than proxies keep theirs, so that it is never the api that closes a connection under a new request.
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    clientErrorHandler: (_error: unknown, socket: Socket) => malformedRequest(socket),
    frameworkErrors: (error, _request, reply) => answerWith(reply, error),
  });
  traceRequests(api);
  measureRequests(api, options.metrics);
  answerErrors(api, options.logger);
  acceptJsonOnly(api);
  readNumbersFromText(api);
  await secure(api, options);
  await documentRoutes(api);
  return api;
}

function traceRequests(api: Api): void {
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex');
  api.decorateRequest('trace');
  api.decorateRequest('principal', null);
  api.addHook('onRequest', async (request, reply) => {
    const given = request.headers['traceparent'];
    request.trace = continueTrace(typeof given === 'string' ? given : undefined, randomHex);
    reply.header('traceparent', request.trace.traceparent);
  });
}

/**
 * Bodies are JSON and say so: other sites' forms cannot send that type without being asked first (CORS). An empty body
 * counts as none, because many clients name the type on every request.
 */
function acceptJsonOnly(api: Api): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

async function secure(api: Api, options: ServerOptions): Promise<void> {
  await api.register(helmet, {
    // Answers are data: nothing in them is to be run, framed or loaded. The documentation page has rules of its own.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: options.httpsOnly,
  });
  if (options.corsOrigins.length > 0) {
    await api.register(cors, {
      origin: [...options.corsOrigins],
      credentials: true,
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'last-event-id', 'traceparent', 'x-csrf-token'],
      exposedHeaders: ['retry-after', 'traceparent'],
      maxAge: 600,
    });
  }
  await api.register(cookie);
  // Answers depend on who asks and change at any time.
  api.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
}
