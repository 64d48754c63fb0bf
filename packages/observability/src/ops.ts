import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError, errorCode, lifecycle, type Service, TidemarkError } from '@tidemark/kernel';
import type { Metrics } from './metrics.ts';

/** Asks one dependency whether it answers; throws or rejects when it does not. */
export type ReadinessCheck = (signal: AbortSignal) => Promise<void> | void;

export interface OpsOptions {
  readonly metrics: Metrics;
  /** Dependencies by name. Liveness never asks them: restarting us would not mend them. */
  readonly checks?: Readonly<Record<string, ReadinessCheck>>;
  /** How long one check may take, milliseconds. */
  readonly checkTimeoutMs?: number;
}

export interface OpsAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What every service answers about itself. */
export interface Ops {
  /** 200 as long as the event loop turns. */
  health(): OpsAnswer;
  /** 200 when every dependency answers, else 503 naming those that do not. */
  ready(): Promise<OpsAnswer>;
  metrics(): Promise<OpsAnswer>;
}

const json = (status: number, value: unknown): OpsAnswer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});

export function createOps(options: OpsOptions): Ops {
  const { metrics, checks = {}, checkTimeoutMs = 2000 } = options;
  const ask = async (check: ReadinessCheck) => {
    const signal = AbortSignal.timeout(checkTimeoutMs);
    const timedOut = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`no answer within ${checkTimeoutMs} ms`)));
    });
    // A check that throws at once must meet the race as well, or nobody would hear the time-out after it.
    const asked = (async () => check(signal))();
    await Promise.race([asked, timedOut]);
  };
  return {
    health: () => json(200, { status: 'ok' }),
    async ready() {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => {
          try {
            await ask(check);
            return [name, 'ok'] as const;
          } catch (error) {
            return [name, describeError(error)] as const;
          }
        }),
      );
      const ok = results.every(([, result]) => result === 'ok');
      return json(ok ? 200 : 503, {
        status: ok ? 'ready' : 'not ready',
        checks: Object.fromEntries(results),
      });
    },
    async metrics() {
      const { contentType, body } = await metrics.expose();
      return { status: 200, contentType, body };
    },
  };
}

/** The path of each answer. */
export const opsRoutes = {
  '/healthz': (ops: Ops) => ops.health(),
  '/readyz': (ops: Ops) => ops.ready(),
  '/metrics': (ops: Ops) => ops.metrics(),
} as const satisfies Record<string, (ops: Ops) => OpsAnswer | Promise<OpsAnswer>>;

/** The shape of Fastify that {@link mountOps} needs. */
export interface RouteRegistrar {
  get(
    path: string,
    options: { schema: { hide: boolean } },
    handler: (request: unknown, reply: OpsReply) => Promise<unknown>,
  ): unknown;
}
interface OpsReply {
  code(status: number): OpsReply;
  header(name: string, value: string): OpsReply;
  send(body: string): unknown;
}

/** Adds the three routes to a Fastify server that has other work as well. */
export function mountOps(server: RouteRegistrar, ops: Ops): void {
  for (const [path, answer] of Object.entries(opsRoutes)) {
    server.get(path, { schema: { hide: true } }, async (_request, reply) => {
      const { status, contentType, body } = await answer(ops);
      return reply
        .code(status)
        .header('content-type', contentType)
        .header('cache-control', 'no-store')
        .send(body);
    });
  }
}

export interface OpsServer extends Service {
  /** The port in use once started. */
  readonly port: number;
}

/** Answers what the three routes do not; undefined when it has no such route either. */
export type FurtherRoutes = (method: string, url: URL) => OpsAnswer | Promise<OpsAnswer> | undefined;

/** A small HTTP server for services that have no other one. */
export function opsServer(
  address: { readonly host: string; readonly port: number },
  ops: Ops,
  further: FurtherRoutes = () => undefined,
): OpsServer {
  const route = async (method: string, url: URL): Promise<OpsAnswer> => {
    const answer = Object.entries(opsRoutes).find(([path]) => path === url.pathname)?.[1];
    if (answer) return answer(ops);
    return (await further(method, url)) ?? json(404, { error: `no route ${method} ${url.pathname}` });
  };
  const server = createServer((request, response) => {
    void respond(
      response,
      (async () => {
        // The target of a request is whatever the other side sends; `//` for one is no URL.
        const target = `http://localhost${request.url ?? '/'}`;
        if (!URL.canParse(target)) return json(400, { error: 'the target of the request is not a path' });
        return route(request.method ?? 'GET', new URL(target));
      })(),
    );
  });
  return {
    ...lifecycle('ops server', {
      start: () => listen(server, address),
      stop: () => closeServer(server),
    }),
    get port() {
      return (server.address() as AddressInfo | null)?.port ?? 0;
    },
  };
}

async function respond(response: ServerResponse, outcome: Promise<OpsAnswer>): Promise<void> {
  const { status, contentType, body } = await outcome.catch((error: unknown) =>
    json(500, { error: describeError(error) }),
  );
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}

function listen(server: Server, address: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => reject(explainListenError(error, address));
    server.once('error', refuse);
    server.listen(address.port, address.host, () => {
      server.off('error', refuse);
      // Later errors are of single connections that could not be accepted, as when file descriptors run out.
      server.on('error', () => {});
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close(error => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

/** Turns the errors that listening on an address can give into a line that says what to do. */
export function explainListenError(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): unknown {
  const expected: Readonly<Record<string, [code: string, message: string, hint: string]>> = {
    EADDRINUSE: [
      'PORT_TAKEN',
      `port ${port} on ${host} is taken by another program`,
      'Stop that program, or choose another port.',
    ],
    EACCES: ['PORT_FORBIDDEN', `this user may not listen on port ${port}`, 'Choose a port above 1023.'],
    EADDRNOTAVAIL: ['HOST_NOT_OURS', `this machine has no address ${host}`, 'Choose 127.0.0.1 or 0.0.0.0.'],
    ENOTFOUND: ['HOST_UNKNOWN', `the name ${host} cannot be resolved`, 'Choose 127.0.0.1 or 0.0.0.0.'],
  };
  const known = expected[errorCode(error) ?? ''];
  if (!known) return error;
  const [code, message, hint] = known;
  return new TidemarkError(code, message, { cause: error, hint, facts: { host, port } });
}
