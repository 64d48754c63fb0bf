import { queryOptions } from '@tanstack/react-query';
import type { Change } from '@tidemark/contracts';
import { callApi, withQuery } from '../../shared/api-client.ts';

/** Which row. */
export interface RowAddress {
  readonly database: string;
  readonly table: string;
  readonly key: string;
}

/** Versions of one row, newest first. */
export interface RowHistory {
  readonly versions: readonly Change[];
  /** Older versions exist and were not loaded. */
  readonly more: boolean;
}

const pageSize = 200;
/** A row that changes all day has more versions than anybody pages through. */
const versionsMax = 1000;

export function rowHistoryQuery(row: RowAddress) {
  return queryOptions({
    queryKey: ['row', row.database, row.table, row.key],
    queryFn: ({ signal }) => fetchHistory(row, signal),
  });
}

async function fetchHistory(row: RowAddress, signal: AbortSignal): Promise<RowHistory> {
  const versions: Change[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && versions.length < versionsMax) {
    const path = withQuery('/api/changes', { ...row, limit: pageSize, cursor });
    const page: { items: Change[]; nextCursor: string | null } = await callApi(path, { signal });
    versions.push(...page.items);
    cursor = page.nextCursor;
  }
  return { versions, more: cursor !== null };
}
