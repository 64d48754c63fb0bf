import { changeStoreChannel } from '@tidemark/contracts/names';
import type { DeliverableItem, Sink } from '@tidemark/pipeline';
import type { ChangeEvent } from '../codec/change-event.ts';
import type { Pool, Transaction } from './pool.ts';
import { splitRepeats } from './repeats.ts';
import { transactionalSink } from './transactional-sink.ts';

/** Key of the advisory lock that writers of the change store hold ("tide" in ASCII). */
const changeStoreLock = 0x74_69_64_65;

/**
 * Ids are given out while the lock is held and become visible when it is released at commit, so whoever follows the
 * table by id never meets a row with a lower id later. Rows get their ids in log order.
 */
const storeChanges = `
  WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
      $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[],
      $14::bigint[], $15::text[]) WITH ORDINALITY
      AS input (change_id, database, table_name, type, key, commit_ts, committed_at, captured_at, old, data, sql,
        topic, partition, kafka_offset, trace_id, place)
  ), stored AS (
    INSERT INTO change_events (change_id, database, table_name, type, key, commit_ts, committed_at, captured_at, old,
      data, sql, topic, partition, kafka_offset, trace_id)
    SELECT change_id, database, table_name, type, key, commit_ts, committed_at, captured_at, old::jsonb, data::jsonb,
      sql, topic, partition, kafka_offset, trace_id
    FROM input ORDER BY place
    ON CONFLICT (change_id) DO NOTHING RETURNING id, change_id
  ), announced AS (
    SELECT pg_notify($16, max(id)::text) FROM stored HAVING count(*) > 0
  )
  SELECT count(*)::int AS stored, CASE WHEN count(*) < $17 THEN array_agg(change_id) END AS ids,
    (SELECT count(*) FROM announced) AS announced
  FROM stored`;

/** Every captured change once, in the order of its partition. */
export function changeStoreSink(pipeline: string, pool: Pool): Sink<ChangeEvent> {
  return transactionalSink(pipeline, pool, { write });
}

async function write(
  transaction: Transaction,
  items: readonly DeliverableItem<ChangeEvent>[],
): Promise<ReadonlySet<bigint>> {
  const { unique, repeats } = splitRepeats(items, item => item.event.changeId);
  await transaction.query({
    name: 'lock-change-store',
    text: 'SELECT pg_advisory_xact_lock($1)',
    values: [changeStoreLock],
  });
  const { rows } = await transaction.query<{ stored: number; ids: string[] | null }>({
    name: 'store-changes',
    text: storeChanges,
    values: [...columns(unique), changeStoreChannel, unique.length],
  });
  const { stored = 0, ids = null } = rows[0] ?? {};
  if (stored === unique.length) return repeats;
  const written = new Set(ids);
  const known = unique.filter(item => !written.has(item.event.changeId));
  return new Set([...repeats, ...known.map(item => item.record.offset)]);
}

function columns(items: readonly DeliverableItem<ChangeEvent>[]): unknown[][] {
  const of = <T>(pick: (event: ChangeEvent) => T) => items.map(item => pick(item.event));
  return [
    of(event => event.changeId),
    of(event => event.database),
    of(event => event.table),
    of(event => event.type),
    of(event => event.key),
    of(event => event.commitTs.toString()),
    of(event => new Date(event.committedAtMs).toISOString()),
    of(event => new Date(event.capturedAtMs).toISOString()),
    of(event => jsonOrNull(event.old)),
    of(event => jsonOrNull(event.data)),
    of(event => event.sql),
    items.map(item => item.record.topic),
    items.map(item => item.record.partition),
    items.map(item => item.record.offset.toString()),
    of(event => event.traceId),
  ];
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
