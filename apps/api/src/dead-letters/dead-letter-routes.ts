import {
  DeadLetterDetail,
  DeadLetterDiscard,
  DeadLetterEdit,
  DeadLetterFilter,
  DeadLetterId,
  DeadLetterPage,
  DeadLetterReplay,
  DeadLettersDiscarded,
  DeadLettersReplayed,
} from '@tidemark/contracts';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { principalOf } from '../auth/principal.ts';
import type { ActionLog } from '../http/action-log.ts';
import type { Api } from '../http/api.ts';
import { answers, PageQuery, pageLimitDefault } from '../http/answers.ts';
import { ApiError } from '../http/api-error.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import type { Desk } from './desk.ts';

export interface DeadLetterParts {
  readonly desk: Desk;
  readonly logAction: ActionLog;
}

const tags = ['dead letters'];
const operator = { access: 'operator' } as const;
const OneId = Type.Object({ id: DeadLetterId });
const cursorParts = [
  /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
  /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/,
] as const;
/** A corrected payload may be as large as an event, and JSON escapes can double it. */
const editBytesMax = 12 * 1024 * 1024;
/** How long one request for a replay works, seconds; what it does not get to, the next one does. */
const replaySecondsMax = 10;

/** Everybody may look at dead letters; operators deal with them. */
export function deadLetterRoutes(api: Api, parts: DeadLetterParts): void {
  readRoutes(api, parts);
  editRoute(api, parts);
  replayRoute(api, parts);
  discardRoute(api, parts);
}

function readRoutes(api: Api, { desk }: DeadLetterParts): void {
  const list = {
    tags,
    summary: 'List dead letters, newest first',
    querystring: Type.Interface([DeadLetterFilter, PageQuery], {}),
    response: answers({ 200: DeadLetterPage }),
  };
  api.get('/api/dead-letters', { schema: list }, async request => {
    const { cursor, limit = pageLimitDefault, ...filter } = request.query;
    refuseNoTime(filter);
    const before = cursor === undefined ? undefined : toPlace(cursor);
    const rows = await desk.use(each => each.page(filter, limit + 1, before));
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1)?.place : undefined;
    return {
      items: page.map(({ entry }) => entry),
      nextCursor: last ? encodeCursor([last.failedAt, last.id]) : null,
    };
  });
  const one = {
    tags,
    summary: 'Show a dead letter and what was done with it',
    params: OneId,
    response: answers({ 200: DeadLetterDetail }),
  };
  api.get('/api/dead-letters/:id', { schema: one }, request =>
    desk.use(each => each.show(request.params.id)),
  );
}

function editRoute(api: Api, { desk, logAction }: DeadLetterParts): void {
  const schema = {
    tags,
    summary: 'Correct what a replay will send',
    description:
      'The original payload stays. Answers with the letter, and whether the codec would read it now.',
    params: OneId,
    body: DeadLetterEdit,
    response: answers({ 200: DeadLetterDetail }),
  };
  const options = { schema, config: operator, bodyLimit: editBytesMax };
  api.patch('/api/dead-letters/:id', options, async request => {
    const { id } = request.params;
    const { payload, why } = request.body;
    const letter = await desk.use(async each => {
      await each.edit(id, Buffer.from(payload), actorOf(request, why));
      return each.show(id);
    });
    logAction(request, 'dead_letter_edit', { subject: `dead-letter:${id}` });
    return letter;
  });
}

function replayRoute(api: Api, { desk, logAction }: DeadLetterParts): void {
  const schema = {
    tags,
    summary: 'Send open dead letters back to their topics',
    description:
      'In log order, with their original key and headers. One request works for some seconds at the given rate; ' +
      '`remaining` says how many are left. A repeated replay has no second effect.',
    body: DeadLetterReplay,
    response: answers({ 200: DeadLettersReplayed }),
  };
  api.post('/api/dead-letters/replay', { schema, config: operator }, async request => {
    const { why, dryRun = false, eventsPerSec = 100, replaysMax = 3, ...selection } = request.body;
    const limit = Math.floor(eventsPerSec * replaySecondsMax);
    const options = { dryRun, eventsPerSec, replaysMax, limit };
    const chosen = chosenBy(selection);
    const result = await desk.use(each => each.replay(chosen, actorOf(request, why), options));
    if (!dryRun) logAction(request, 'dead_letter_replay', { subject: `dead-letters:${result.sent.length}` });
    return {
      dryRun,
      sent: [...result.sent],
      overCap: [...result.overCap],
      homeless: [...result.homeless],
      incomplete: [...result.incomplete],
      blocked: [...result.blocked],
      remaining: result.remaining,
    };
  });
}

function discardRoute(api: Api, { desk, logAction }: DeadLetterParts): void {
  const schema = {
    tags,
    summary: 'Decide that open dead letters need not take effect',
    body: DeadLetterDiscard,
    response: answers({ 200: DeadLettersDiscarded }),
  };
  api.post('/api/dead-letters/discard', { schema, config: operator }, async request => {
    const { why, dryRun = false, ...selection } = request.body;
    const chosen = chosenBy(selection);
    const discarded = await desk.use(each => each.discard(chosen, actorOf(request, why), { dryRun }));
    if (!dryRun) logAction(request, 'dead_letter_discard', { subject: `dead-letters:${discarded.length}` });
    return { dryRun, discarded };
  });
}

type Selection = Omit<Static<typeof DeadLetterDiscard>, 'why' | 'dryRun'>;

/** An empty body must not mean everything. */
function chosenBy({ all = false, ids, ...filter }: Selection) {
  refuseNoTime(filter);
  const named = ids !== undefined || Object.values(filter).some(value => value !== undefined);
  if (named !== all) return { ids, ...filter };
  throw new ApiError(
    400,
    'SELECTION_UNCLEAR',
    named ? 'all does not go with ids or filters' : 'no letters are named',
    {
      hint: 'Send ids, a filter, or all: true for every open letter.',
    },
  );
}

/** The format admits a leap second at any time of day, which PostgreSQL and JavaScript do not. */
function refuseNoTime(filter: { readonly from?: string; readonly to?: string }): void {
  for (const field of ['from', 'to'] as const) {
    const text = filter[field];
    if (text === undefined || !Number.isNaN(Date.parse(text))) continue;
    throw new ApiError(400, 'INVALID_INPUT', `${field} is not a time that exists`, { field });
  }
}

function toPlace(cursor: string) {
  const [failedAt = '', id = ''] = decodeCursor(cursor, cursorParts);
  return { failedAt, id };
}

function actorOf(request: FastifyRequest, why: string) {
  return { name: principalOf(request).user.email, why };
}
