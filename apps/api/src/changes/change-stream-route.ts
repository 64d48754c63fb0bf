import { ChangeFilter } from '@tidemark/contracts';
import type { Clock } from '@tidemark/kernel';
import { describeError } from '@tidemark/kernel';
import type { Logger, Metrics } from '@tidemark/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type Principal, principalOf } from '../auth/principal.ts';
import type { SessionStore } from '../auth/session-store.ts';
import type { Api } from '../http/api.ts';
import { answers } from '../http/answers.ts';
import { ApiError } from '../http/api-error.ts';
import { idPattern } from '../http/cursor.ts';
import { type Filter, toFilter } from './change-filter.ts';
import { followChanges } from './change-feed.ts';
import type { ChangeStore } from './change-store.ts';
import type { ChangeTail } from './change-tail.ts';
import { EventStream } from './event-stream.ts';

export interface ChangeStreamParts {
  readonly store: ChangeStore;
  readonly tail: ChangeTail;
  readonly sessions: Pick<SessionStore, 'isAlive'>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Milliseconds between heartbeats, at which the session is checked as well. */
  readonly heartbeatMs: number;
  /** How long a client may leave everything unread, milliseconds. */
  readonly patienceMs?: number;
}

const clientsMax = 500;
const StreamQuery = Type.Interface([ChangeFilter], {
  lastEventId: Type.Optional(
    Type.String({ description: 'As the Last-Event-ID header, for clients that cannot set it at first' }),
  ),
});
const schema = {
  tags: ['changes'],
  summary: 'Follow changes live (server-sent events)',
  description:
    'Events of type change carry a Change and its id; send the last one as Last-Event-ID and nothing is missed. ' +
    'reconnect says that the server ends the stream; reset says that the change store was made anew.',
  produces: ['text/event-stream'],
  querystring: StreamQuery,
  response: answers({}),
};

/** The live feed of changes. Streams are ended when the server closes. */
export function changeStreamRoute(api: Api, parts: ChangeStreamParts): void {
  const open = new Set<EventStream>();
  const gauge = parts.metrics.gauge('sse_clients');
  api.addHook('preClose', async () => {
    for (const stream of open) stream.cut('stopping');
  });
  const config = { unmeasured: true };
  api.get('/api/changes/stream', { schema, config, exposeHeadRoute: false }, async (request, reply) => {
    if (open.size >= clientsMax) throw tooManyStreams();
    const after = lastEventId(request, request.query);
    const filter = toFilter(request.query);
    const leave = await parts.tail.follow();
    const stream = new EventStream(begin(reply), parts.clock, parts.patienceMs);
    open.add(stream);
    gauge.set(open.size);
    const serving = { stream, filter, after, principal: principalOf(request), reply };
    void serve(parts, serving).then(() => {
      open.delete(stream);
      gauge.set(open.size);
      return leave();
    });
  });
}

interface Serving {
  readonly stream: EventStream;
  readonly filter: Filter;
  readonly after: bigint | undefined;
  readonly principal: Principal;
  readonly reply: FastifyReply;
}

/** Serves one client until it leaves or is let go. Never rejects. */
async function serve(
  parts: ChangeStreamParts,
  { stream, filter, after, principal, reply }: Serving,
): Promise<void> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const { signal } = gone;
  let position = after ?? parts.tail.newest;
  const onPosition = (id: bigint) => {
    position = id;
  };
  const beating = beat(parts, stream, principal, signal, () => String(position));
  try {
    await followChanges(parts.store, parts.tail, { filter, after, stream, signal, onPosition });
  } catch (error) {
    // The client reconnects and goes on where it was; by then the database may be back.
    if (!signal.aborted) parts.logger.warn({ reason: describeError(error) }, 'a live feed was interrupted');
    stream.cut('stopping');
  }
  gone.abort();
  await beating;
}

/** Sends heartbeats, and ends the stream when its session has ended. */
async function beat(
  { sessions, clock, heartbeatMs }: ChangeStreamParts,
  stream: EventStream,
  principal: Principal,
  signal: AbortSignal,
  position: () => string,
): Promise<void> {
  while (!signal.aborted && !stream.ended) {
    await clock.sleep(heartbeatMs, signal).catch(() => {});
    if (signal.aborted) return;
    stream.heartbeat(position());
    // While the database is down nobody can have signed out.
    const alive = await sessions.isAlive(principal.tokenSha256).catch(() => true);
    if (!alive) stream.cut('signed_out');
  }
}

function begin(reply: FastifyReply) {
  reply.hijack();
  const headers = {
    ...reply.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would collect the stream before it passes it on.
    'x-accel-buffering': 'no',
  };
  reply.raw.writeHead(200, headers as Record<string, string>);
  reply.raw.write('retry: 2000\n\n');
  return reply.raw;
}

function lastEventId(request: FastifyRequest, query: Static<typeof StreamQuery>): bigint | undefined {
  const given = request.headers['last-event-id'] ?? query.lastEventId;
  if (typeof given !== 'string' || given === '') return undefined;
  if (given === '0' || idPattern.test(given)) return BigInt(given);
  throw new ApiError(400, 'INVALID_INPUT', 'Last-Event-ID is not an id of this stream', {
    field: 'lastEventId',
    hint: 'Send the id of the last event, or leave it out to begin with the next change.',
  });
}

function tooManyStreams(): ApiError {
  return new ApiError(503, 'TOO_MANY_STREAMS', 'too many clients follow the changes', { retryAfterSec: 10 });
}
