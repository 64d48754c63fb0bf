import { Change, ChangeFilter, ChangePage } from '@tidemark/contracts';
import { Type } from 'typebox';
import type { Api } from '../http/api.ts';
import { answers, PageQuery, pageLimitDefault } from '../http/answers.ts';
import { notFound } from '../http/api-error.ts';
import { decodeCursor, encodeCursor, idPattern } from '../http/cursor.ts';
import { toFilter } from './change-filter.ts';
import type { ChangeSlice, ChangeStore } from './change-store.ts';

const tags = ['changes'];

/** Search over the whole history of the change store. */
export function changeRoutes(api: Api, store: ChangeStore): void {
  const list = {
    tags,
    summary: 'Search changes, newest first',
    description:
      'Pages are stable while new changes arrive. A page may hold fewer items than asked for, even none, and still ' +
      'have a nextCursor: then the search took long and goes on from there.',
    querystring: Type.Interface([ChangeFilter, PageQuery], {}),
    response: answers({ 200: ChangePage }),
  };
  api.get('/api/changes', { schema: list }, async request => {
    const { cursor, limit = pageLimitDefault, ...query } = request.query;
    const before = cursor === undefined ? undefined : BigInt(decodeCursor(cursor, [idPattern])[0] ?? 1);
    // One more than asked for tells whether there is another page.
    return toPage(await store.newest(toFilter(query), before, limit + 1), limit);
  });
  const one = {
    tags,
    summary: 'Show a change',
    params: Type.Object({ id: Type.String({ pattern: idPattern.source }) }),
    response: answers({ 200: Change }),
  };
  api.get('/api/changes/:id', { schema: one }, async request => {
    const id = BigInt(request.params.id);
    const change = id <= idMax ? await store.find(id) : undefined;
    if (!change) throw notFound(`change ${id}`);
    return change;
  });
}

/** PostgreSQL's bigint. */
const idMax = 2n ** 63n - 1n;

function toPage({ changes, reached, more }: ChangeSlice, limit: number): ChangePage {
  const items = changes.slice(0, limit);
  if (changes.length > limit) return { items, nextCursor: encodeCursor([items.at(-1)?.id ?? '1']) };
  return { items, nextCursor: more ? encodeCursor([String(reached)]) : null };
}

type ChangePage = Type.Static<typeof ChangePage>;
