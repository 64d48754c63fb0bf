import { queryOptions } from '@tanstack/react-query';
import type { Change, ChangeFilter } from '@tidemark/contracts';
import { callApi, openApi, withQuery } from '../../shared/api-client.ts';
import { ApiError } from '../../shared/api-error.ts';

const pageSize = 100;

interface ChangePage {
  readonly items: readonly Change[];
  readonly nextCursor: string | null;
}

/** Path of a search, which is also what a reader may copy. */
export function changesPath(filter: ChangeFilter, cursor: string | null = null): string {
  return withQuery('/api/changes', { ...filter, limit: pageSize, cursor: cursor ?? undefined });
}

export function fetchChanges(
  filter: ChangeFilter,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<ChangePage> {
  return callApi<ChangePage>(changesPath(filter, cursor), signal ? { signal } : {});
}

/** Opens the live feed after a change. */
export async function openChangeStream(
  filter: ChangeFilter,
  lastEventId: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const response = await openApi(withQuery('/api/changes/stream', { ...filter }), {
    headers: { accept: 'text/event-stream', 'last-event-id': lastEventId },
    signal,
  });
  if (!response.body) {
    throw new ApiError({ status: 0, code: 'NO_STREAM', message: 'The browser cannot read event streams.' });
  }
  return response.body;
}

/** One change by its id. It never changes again. */
export function changeQuery(id: string) {
  return queryOptions({
    queryKey: ['change', id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => callApi<Change>(`/api/changes/${encodeURIComponent(id)}`, { signal }),
  });
}
