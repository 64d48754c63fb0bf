import { type Kysely, sql } from 'kysely';
import type { PipelinePartition } from '@tidemark/contracts';
import type { Static } from 'typebox';
import type { Schema } from '../store/schema.ts';

export type Partition = Static<typeof PipelinePartition>;

/** Time from a commit to its change being stored. */
export interface Freshness {
  readonly p50Seconds: number | null;
  readonly p99Seconds: number | null;
  readonly changes: number;
}

export interface SourceFacts {
  readonly serverVersion: string;
  /** Rows inserted, updated and deleted in the tables of people, not of pipelines, since statistics began. */
  readonly rowsChanged: number;
}

/** What the database knows about the pipelines. */
export interface PositionStore {
  /** Partitions with their stored position and ledger, by pipeline; ends are not known here. */
  positions(): Promise<ReadonlyMap<string, readonly Partition[]>>;
  freshness(): Promise<Freshness>;
  source(): Promise<SourceFacts>;
}

/** The newest changes that freshness is measured over at most, so that the question stays cheap in a flood. */
const freshnessRowsMax = 10_000;

/** Tables that pipelines and services write for themselves. */
const ownTables = [
  'change_events',
  'changefeeds',
  'dlq_actions',
  'dlq_events',
  'maintenance',
  'pipeline_positions',
  'processed_events',
  'schema_migrations',
  'sessions',
];

export function createPositionStore(queries: Kysely<Schema>): PositionStore {
  return {
    async positions() {
      const rows = await queries
        .selectFrom('pipeline_positions')
        .selectAll()
        .orderBy('pipeline')
        .orderBy('topic')
        .orderBy('partition')
        .execute();
      const grouped = Map.groupBy(rows, row => row.pipeline);
      return new Map([...grouped].map(([pipeline, members]) => [pipeline, members.map(toPartition)]));
    },
    async freshness() {
      const { rows } = await sql<{ p50: number | null; p99: number | null; changes: number }>`
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
               percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99,
               count(*)::int AS changes
        FROM (
          SELECT greatest(0, extract(epoch FROM stored_at - committed_at))::float8 AS seconds, stored_at
          FROM change_events ORDER BY id DESC LIMIT ${freshnessRowsMax}
        ) AS newest
        WHERE stored_at > now() - interval '5 minutes'`.execute(queries);
      const [row] = rows;
      return { p50Seconds: row?.p50 ?? null, p99Seconds: row?.p99 ?? null, changes: row?.changes ?? 0 };
    },
    async source() {
      const { rows } = await sql<{ version: string; changed: string }>`
        SELECT current_setting('server_version') AS version,
               coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::text AS changed
        FROM pg_stat_user_tables
        WHERE relname <> ALL (${ownTables}) AND relname NOT LIKE 'processed\\_events\\_%'`.execute(queries);
      const [row] = rows;
      return { serverVersion: row?.version.split(' ')[0] ?? '', rowsChanged: Number(row?.changed ?? 0) };
    },
  };
}

function toPartition(row: {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
  readonly read: string;
  readonly delivered: string;
  readonly duplicate: string;
  readonly filtered: string;
  readonly dead_lettered: string;
  readonly updated_at: Date;
}): Partition {
  return {
    topic: row.topic,
    partition: row.partition,
    position: row.next_offset,
    endOffset: null,
    lag: null,
    ledger: {
      read: Number(row.read),
      delivered: Number(row.delivered),
      duplicate: Number(row.duplicate),
      filtered: Number(row.filtered),
      deadLettered: Number(row.dead_lettered),
    },
    updatedAt: row.updated_at.toISOString(),
  };
}
