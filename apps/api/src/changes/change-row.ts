import type { Change, Row } from '@tidemark/contracts';

/** The columns of `change_events` that make a {@link Change}. */
export const changeColumns = [
  'id',
  'database',
  'table_name',
  'type',
  'key',
  'commit_ts',
  'committed_at',
  'captured_at',
  'stored_at',
  'old',
  'data',
  'sql',
  'topic',
  'partition',
  'kafka_offset',
  'trace_id',
] as const;

export interface ChangeRow {
  readonly id: string;
  readonly database: string;
  readonly table_name: string;
  readonly type: string;
  readonly key: string;
  readonly commit_ts: string;
  readonly committed_at: Date;
  readonly captured_at: Date;
  readonly stored_at: Date;
  readonly old: Row | null;
  readonly data: Row | null;
  readonly sql: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly kafka_offset: string;
  readonly trace_id: string | null;
}

export function toChange(row: ChangeRow): Change {
  return {
    id: row.id,
    database: row.database,
    table: row.table_name,
    type: row.type,
    key: row.key,
    commitTs: row.commit_ts,
    committedAt: row.committed_at.toISOString(),
    capturedAt: row.captured_at.toISOString(),
    storedAt: row.stored_at.toISOString(),
    old: row.old,
    data: row.data,
    sql: row.sql,
    topic: row.topic,
    partition: row.partition,
    offset: row.kafka_offset,
    traceId: row.trace_id,
  };
}
