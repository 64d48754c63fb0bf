import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '@tidemark/config';
import { lifecycle, type Service } from '@tidemark/kernel';
import { explainListenError, type Metrics, type Ops, opsRoutes } from '@tidemark/observability';
import type { ApiProxy } from './api-proxy.ts';
import { type StaticFiles, sendText } from './static-files.ts';

export interface ConsoleServerParts {
  readonly address: ListenAddress;
  readonly api: ApiProxy;
  readonly files: StaticFiles;
  readonly metrics: Metrics;
  readonly ops: Ops;
}

export interface ConsoleServer extends Service {
  /** The port in use once started. */
  readonly port: number;
}

/** How long answers that are under way may take to finish at shutdown. */
const drainMs = 3000;

/**
 * One origin for the browser: the web app, the api behind `/api`, and what operators ask. Node's own HTTP server
 * instead of a framework, because two routes do not earn the twenty megabytes that one takes at rest.
 */
export function createConsoleServer(parts: ConsoleServerParts): ConsoleServer {
  const server = createServer({ requestTimeout: 0 });
  server.on('request', observe(parts.metrics, route(parts)));
  return {
    ...lifecycle('console server', {
      start: () => listen(server, parts.address),
      stop: () => {
        parts.api.endStreams();
        return close(server);
      },
    }),
    get port() {
      return (server.address() as AddressInfo | null)?.port ?? 0;
    },
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => void;

function route({ api, files, ops }: ConsoleServerParts): Handler {
  return (request, response, path) => {
    if (path === '/api' || path.startsWith('/api/')) return api.forward(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return sendText(response, 405, 'Only GET and HEAD are answered here\n');
    }
    const answer = Object.entries(opsRoutes).find(([name]) => name === path)?.[1];
    const work = answer ? sendOps(response, answer(ops)) : files.serve(request, response, path);
    work.catch(() => {
      // The browser went away, or a build replaced the file while it was sent; the next request finds the new one.
      response.destroy();
    });
  };
}

async function sendOps(
  response: ServerResponse,
  outcome: ReturnType<Ops['ready']> | ReturnType<Ops['health']>,
) {
  const { status, contentType, body } = await outcome;
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}

/** Measures each request under the name of its route, never under its path, which anybody can invent. */
function observe(metrics: Metrics, handle: Handler) {
  const duration = metrics.histogram('http_request_duration_seconds');
  return (request: IncomingMessage, response: ServerResponse) => {
    const path = pathOf(request);
    const stopTimer = duration.startTimer({ method: request.method ?? 'GET', route: routeName(path) });
    response.on('close', () => stopTimer({ status_code: String(response.statusCode) }));
    handle(request, response, path);
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

function routeName(path: string): string {
  if (path.startsWith('/api')) return '/api/*';
  if (path.startsWith('/assets/')) return '/assets/*';
  return path in opsRoutes ? path : '/*';
}

function listen(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(explainListenError(error, address)));
    server.listen(address.port, address.host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(error => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    });
  });
}
