import type { Stack } from './stack.ts';

/**
 * A table as the change store tells it: the newest row of each key that was not deleted. Newest by version, which is the
 * commit position; the id says when the store took a change, and a replayed one comes late.
 */
export async function rebuildTable(
  stack: Stack,
  table: string,
): Promise<ReadonlyMap<string, Record<string, string | null>>> {
  const rows = await stack.query<{ key: string; data: Record<string, string | null> }>(
    `SELECT key, data FROM (
       SELECT DISTINCT ON (key) key, type, data FROM change_events
       WHERE table_name = $1 ORDER BY key, commit_ts DESC, id DESC
     ) newest WHERE type <> 'DELETE'`,
    [table],
  );
  return new Map(rows.map(({ key, data }) => [key, data]));
}

/** Faults that the change store must never show, by name; every count must be 0. */
export async function storeFaults(stack: Stack, table: string): Promise<Record<string, number>> {
  const [row] = await stack.query<Record<string, number>>(
    `SELECT
       count(*) FILTER (WHERE copies > 1)::int AS doubled,
       count(*) FILTER (WHERE commit_ts < previous_ts)::int AS out_of_order
     FROM (
       SELECT
         count(*) OVER (PARTITION BY change_id) AS copies,
         commit_ts,
         lag(commit_ts) OVER (PARTITION BY table_name, key ORDER BY id) AS previous_ts
       FROM change_events WHERE table_name = $1
     ) checked`,
    [table],
  );
  return row ?? {};
}
