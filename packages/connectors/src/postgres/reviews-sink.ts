import type { ReviewCreated } from '@tidemark/contracts';
import { type DeliverableItem, headerText, type Sink } from '@tidemark/pipeline';
import type { Pool, Transaction } from './pool.ts';
import { splitRepeats } from './repeats.ts';
import { transactionalSink } from './transactional-sink.ts';

/**
 * The id of an event and its review in one statement; only ids that were not there before bring a review. A review id
 * that exists already under another event is a violation, and the event's own fault.
 */
const writeReviews = `
  WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::timestamptz[])
      AS input (event_id, review_id, user_key, rating, text, trace_context, created_at)
  ), fresh AS (
    INSERT INTO processed_events (event_id) SELECT event_id FROM input
    ON CONFLICT DO NOTHING RETURNING event_id
  ), written AS (
    INSERT INTO reviews (review_id, user_key, rating, text, trace_context, created_at)
    SELECT review_id, user_key, rating, text, trace_context, created_at FROM input JOIN fresh USING (event_id)
  )
  SELECT count(*)::int AS fresh, CASE WHEN count(*) < $8 THEN array_agg(event_id::text) END AS ids FROM fresh`;

const markAll = 'INSERT INTO processed_events (event_id) SELECT unnest($1::uuid[])';

const insertAll = `
  INSERT INTO reviews (review_id, user_key, rating, text, trace_context, created_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::timestamptz[])`;

/** Reviews, each exactly once: the event's id, the row, the position and the counts are one transaction. */
export function reviewsSink(pipeline: string, pool: Pool): Sink<ReviewCreated> {
  return transactionalSink(pipeline, pool, { write, writeNew });
}

async function write(
  transaction: Transaction,
  items: readonly DeliverableItem<ReviewCreated>[],
): Promise<ReadonlySet<bigint>> {
  const { unique, repeats } = splitRepeats(items, item => item.event.event_id.toLowerCase());
  const { rows } = await transaction.query<{ fresh: number; ids: string[] | null }>({
    name: 'write-reviews',
    text: writeReviews,
    values: [...columns(unique), unique.length],
  });
  const { fresh = 0, ids = null } = rows[0] ?? {};
  if (fresh === unique.length) return repeats;
  const written = new Set(ids);
  const known = unique.filter(item => !written.has(item.event.event_id.toLowerCase()));
  return new Set([...repeats, ...known.map(item => item.record.offset)]);
}

async function writeNew(
  transaction: Transaction,
  items: readonly DeliverableItem<ReviewCreated>[],
): Promise<void> {
  const [ids, ...rest] = columns(items);
  await transaction.query({ name: 'mark-new', text: markAll, values: [ids] });
  await transaction.query({ name: 'insert-new-reviews', text: insertAll, values: rest });
}

function columns(items: readonly DeliverableItem<ReviewCreated>[]): unknown[][] {
  return [
    items.map(item => item.event.event_id),
    items.map(item => item.event.payload.review_id),
    items.map(item => item.event.key),
    items.map(item => item.event.payload.rating),
    items.map(item => item.event.payload.text),
    items.map(item => headerText(item.record, 'traceparent') ?? null),
    items.map(item => item.event.ts),
  ];
}
