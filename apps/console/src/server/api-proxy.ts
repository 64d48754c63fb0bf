import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { pipeline } from 'node:stream';
import type { ErrorBody } from '@tidemark/contracts';
import { errorCode } from '@tidemark/kernel';
import { securityHeaders } from './security-headers.ts';

/** How long the api may take until it sends the head of an answer; bodies and event streams may take for ever. */
const headTimeoutMs = 30_000;

/** RFC 9110 §7.6.1: these belong to one connection and are not passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface ApiProxy {
  /** Passes a request on and its answer back as it arrives, so that event streams flow. */
  forward(request: IncomingMessage, response: ServerResponse): void;
  /** Rejects when the api does not answer. */
  check(signal: AbortSignal): Promise<void>;
  /** Ends the event streams that are passing through; browsers reconnect by themselves. */
  endStreams(): void;
  /** Lets go of every connection. */
  close(): void;
}

export interface ApiProxyEvents {
  /** The api stopped answering; told once per outage. */
  readonly onUnreachable: (reason: string) => void;
  readonly onReachable: () => void;
}

/** Passes requests to the api on the same origin, which is what lets its HttpOnly cookie work. */
export function createApiProxy(target: URL, events: ApiProxyEvents): ApiProxy {
  const secure = target.protocol === 'https:';
  const agent = secure ? new SecureAgent({ keepAlive: true }) : new PlainAgent({ keepAlive: true });
  const open = (options: RequestOptions): ClientRequest =>
    (secure ? secureRequest : plainRequest)(target, { agent, ...options });
  const outage = watchOutage(events);
  const streams = new Set<IncomingMessage>();

  return {
    forward(request, response) {
      const upstream = open({
        path: joinPaths(target.pathname, request.url ?? '/'),
        method: request.method ?? 'GET',
        headers: forwardedHeaders(request),
        setHost: false,
      });
      const timer = setTimeout(() => upstream.destroy(timedOut()), headTimeoutMs);
      upstream.on('response', answer => {
        clearTimeout(timer);
        outage.ended();
        response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
        response.flushHeaders();
        if (answer.headers['content-type']?.startsWith('text/event-stream')) streams.add(answer);
        // A failure on either side ends both; the head is out, so there is nothing left to explain.
        pipeline(answer, response, () => streams.delete(answer));
      });
      upstream.on('error', error => {
        clearTimeout(timer);
        if (response.headersSent || response.destroyed) response.destroy();
        else sendFailure(response, error);
        if (!request.destroyed) outage.began(error);
      });
      response.on('close', () => upstream.destroy());
      request.pipe(upstream);
    },
    check: signal => probe(open({ path: joinPaths(target.pathname, '/healthz'), signal })),
    endStreams() {
      for (const stream of streams) stream.destroy();
    },
    close: () => agent.destroy(),
  };
}

function watchOutage(events: ApiProxyEvents): { began(error: Error): void; ended(): void } {
  let down = false;
  return {
    began(error) {
      if (!down) events.onUnreachable(errorCode(error) ?? error.message);
      down = true;
    },
    ended() {
      if (down) events.onReachable();
      down = false;
    },
  };
}

function timedOut(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}

function probe(request: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', answer => {
      answer.resume();
      if (answer.statusCode === 200) resolve();
      else reject(new Error(`the api answered ${answer.statusCode ?? 'nothing'}`));
    });
    request.end();
  });
}

function joinPaths(base: string, path: string): string {
  return base.replace(/\/$/, '') + path;
}

/** The request's headers, and who asked: the api limits sign-in attempts by address. */
function forwardedHeaders(request: IncomingMessage): IncomingHttpHeaders {
  const before = request.headers['x-forwarded-for'];
  const address = request.socket.remoteAddress ?? '';
  return {
    ...withoutHopByHop(request.headers),
    'x-forwarded-for': before === undefined ? address : `${String(before)}, ${address}`,
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-proto': 'encrypted' in request.socket ? 'https' : 'http',
  };
}

function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const kept = Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.has(name));
  return Object.fromEntries(kept);
}

function sendFailure(response: ServerResponse, error: Error): void {
  const late = errorCode(error) === 'ETIMEDOUT';
  const body: ErrorBody = {
    error: late
      ? { code: 'API_TIMEOUT', message: 'The api took too long to answer.', hint: 'Try again in a moment.' }
      : {
          code: 'API_UNREACHABLE',
          message: 'The api does not answer.',
          hint: 'See what is wrong with: ./run.sh status',
        },
  };
  response
    .writeHead(late ? 504 : 502, {
      ...securityHeaders,
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    })
    .end(JSON.stringify(body));
}
