import type { Row } from '@tidemark/contracts';
import type { TestPostgres } from '@tidemark/testkit';

export interface StoredChange {
  readonly database: string;
  readonly table: string;
  readonly type: string;
  readonly key: string;
  readonly committedAt: Date;
  readonly old: Row | null;
  readonly data: Row | null;
  readonly sql: string | null;
  readonly commitTs?: string;
}

/** Key of the lock that writers of the change store hold, and the announcement: as the store's own sink does it. */
const write = `
  WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(1)),
  stored AS (
    INSERT INTO change_events (change_id, database, table_name, type, key, commit_ts, committed_at, captured_at,
      old, data, sql, topic, partition, kafka_offset)
    SELECT gen_random_uuid()::text, row.database, row."table", row.type, row.key, coalesce(row."commitTs", '1')::numeric,
      row."committedAt", now(), nullif(row.old, 'null'), nullif(row.data, 'null'), row.sql, 'tidb_cdc', 0, 0
    FROM locked, jsonb_to_recordset($1::jsonb) AS row(database text, "table" text, type text, key text,
      "committedAt" timestamptz, old jsonb, data jsonb, sql text, "commitTs" text)
    RETURNING id
  )
  SELECT pg_notify('change_events', max(id)::text) FROM stored`;

/** Puts changes into the change store in one transaction. */
export async function storeChanges(postgres: TestPostgres, changes: readonly StoredChange[]): Promise<void> {
  await postgres.query(write, [JSON.stringify(changes)]);
}
