import { omittedPayloadHeader } from '@tidemark/contracts/names';
import type { Pool, Transaction } from './pool.ts';

export const deadLetterStatuses = ['open', 'replayed', 'discarded'] as const;
export type DeadLetterStatus = (typeof deadLetterStatuses)[number];

/** Which dead letters are meant; what is left out does not matter. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[] | undefined;
  readonly pipeline?: string | undefined;
  readonly reason?: string | undefined;
  /** SQLSTATE, HTTP status or name of the error. */
  readonly errorClass?: string | undefined;
  readonly key?: string | undefined;
  /** ISO 8601; the time of the failure, this moment included. */
  readonly from?: string | undefined;
  /** Without this moment. */
  readonly to?: string | undefined;
  readonly status?: DeadLetterStatus | undefined;
}

/** Where a page of the list ends: the order is by time, newest first, and by id where times are equal. */
export interface DeadLetterPlace {
  /** Microseconds included. */
  readonly failedAt: string;
  readonly id: string;
}

export interface LetterRow {
  readonly event_id: string;
  readonly pipeline: string;
  readonly source_topic: string;
  readonly source_partition: number;
  readonly source_offset: string;
  /** Where the event became a dead letter for the first time; null for letters from before that was kept. */
  readonly origin_offset: string | null;
  readonly key: string | null;
  readonly key_bytes: Buffer | null;
  readonly headers: readonly (readonly [name: string, base64: string | null])[];
  readonly reason: string;
  readonly error: string;
  readonly payload_bytes: Buffer | null;
  readonly edited: Buffer | null;
  readonly attempts: number;
  readonly replays: number;
  readonly status: DeadLetterStatus;
  readonly failed_at: Date;
  /** `failed_at` to the microsecond. */
  readonly exact_failed_at: string;
}

/** A payload has megabytes at the worst, and a page many of them: lists show how it begins, bytes. */
export const previewBytes = 4096;

const columnsBefore = `event_id, pipeline, source_topic, source_partition, source_offset, origin_offset, key, key_bytes,
  headers, reason, error`;
const columnsAfter = `attempts, replays, status, failed_at,
  to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS exact_failed_at`;

/** Columns of a {@link LetterRow}. */
export const letterColumns = `${columnsBefore}, payload_bytes, edited, ${columnsAfter}`;
const previewColumns = `${columnsBefore}, substring(payload_bytes FROM 1 FOR ${previewBytes}) AS payload_bytes,
  substring(edited FROM 1 FOR ${previewBytes}) AS edited, ${columnsAfter}`;

const condition = `($1::uuid[] IS NULL OR event_id = ANY($1)) AND ($2::text IS NULL OR pipeline = $2)
  AND ($3::text IS NULL OR reason = $3) AND ($4::text IS NULL OR starts_with(error, $4 || ':'))
  AND ($5::text IS NULL OR key = $5) AND ($6::timestamptz IS NULL OR failed_at >= $6)
  AND ($7::timestamptz IS NULL OR failed_at < $7) AND ($8::text IS NULL OR status = $8)`;

function conditionValues(filter: DeadLetterFilter): unknown[] {
  const { ids, pipeline, reason, errorClass, key, from, to, status } = filter;
  return [ids, pipeline, reason, errorClass, key, from, to, status].map(value => value ?? null);
}

/** The whole letter. */
export async function findLetter(pool: Pool, id: string): Promise<LetterRow | undefined> {
  const { rows } = await pool.query<LetterRow>(
    `SELECT ${letterColumns} FROM dlq_events WHERE event_id = $1::uuid`,
    [id],
  );
  return rows[0];
}

/** Letters that match, newest first, older than `before`, with the beginnings of their payloads. */
export async function findLetters(
  pool: Pool,
  filter: DeadLetterFilter,
  limit: number,
  before?: DeadLetterPlace,
): Promise<LetterRow[]> {
  const { rows } = await pool.query<LetterRow>(
    `SELECT ${previewColumns} FROM dlq_events WHERE ${condition}
       AND ($9::timestamptz IS NULL OR (failed_at, event_id) < ($9, $10::uuid))
     ORDER BY failed_at DESC, event_id DESC LIMIT $11`,
    [...conditionValues(filter), before?.failedAt ?? null, before?.id ?? null, limit],
  );
  return rows;
}

/** What has to be known of a letter to decide whether it is acted upon. */
export interface OpenLetter {
  readonly id: string;
  readonly pipeline: string;
  readonly replays: number;
  /** The letter was too large for its topic and came without its payload, and nobody has put one in. */
  readonly incomplete: boolean;
}

/** In the order in which their events were in their topic first: a replay in this order keeps the order of every key. */
export const firstPlace =
  'source_topic, source_partition, coalesce(origin_offset, source_offset), source_offset';

/** Open letters that match, in the order of {@link firstPlace}. */
export async function findOpen(pool: Pool, filter: DeadLetterFilter): Promise<OpenLetter[]> {
  const { rows } = await pool.query<OpenLetter>(
    `SELECT event_id AS id, pipeline, replays,
       edited IS NULL AND EXISTS (
         SELECT 1 FROM jsonb_array_elements(headers) AS header WHERE header->>0 = '${omittedPayloadHeader}'
       ) AS incomplete
     FROM dlq_events WHERE ${condition} ORDER BY ${firstPlace}`,
    conditionValues({ ...filter, status: 'open' }),
  );
  return rows;
}

/** Marks letters as sent back and writes that down: ids, who, why. */
export const markReplayed = `
  WITH changed AS (
    UPDATE dlq_events SET status = 'replayed', replays = replays + 1 WHERE event_id = ANY($1::uuid[])
    RETURNING event_id
  )
  INSERT INTO dlq_actions (event_id, action, actor, reason) SELECT event_id, 'replay', $2, $3 FROM changed`;

/** Those of the letters that are open, in the order of {@link firstPlace}; nobody else changes them now. */
export async function lockOpen(transaction: Transaction, ids: readonly string[]): Promise<LetterRow[]> {
  const { rows } = await transaction.query<LetterRow>({
    name: 'lock-open-letters',
    text: `SELECT ${letterColumns} FROM dlq_events WHERE event_id = ANY($1::uuid[]) AND status = 'open'
      ORDER BY ${firstPlace} FOR UPDATE`,
    values: [ids],
  });
  return rows;
}
