import type { DeliverableItem, Sink } from '@tidemark/pipeline';
import type { StoredDeadLetter } from '../kafka/dead-letters.ts';
import type { Pool, Transaction } from './pool.ts';
import { splitRepeats } from './repeats.ts';
import { transactionalSink } from './transactional-sink.ts';

/**
 * What people did with a letter is taken from the log of actions: a table that is built again from the topic shows
 * what was replayed, discarded and edited as before.
 */
const storeLetters = `
  WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[],
      $9::text[], $10::bytea[], $11::int[], $12::timestamptz[], $13::bytea[], $14::text[], $15::int[], $16::bigint[])
      AS input (event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error,
        original_payload, payload_bytes, attempts, failed_at, key_bytes, headers, replays, origin_offset)
  ), stored AS (
    INSERT INTO dlq_events (event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error,
      original_payload, payload_bytes, attempts, failed_at, key_bytes, headers, replays, origin_offset, status, edited)
    SELECT event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error,
      jsonb_or_null(original_payload), payload_bytes, attempts, failed_at, key_bytes, headers::jsonb,
      input.replays + coalesce(done.replays, 0), origin_offset, coalesce(done.status, 'open'), done.edited
    FROM input LEFT JOIN LATERAL (
      SELECT count(*) FILTER (WHERE action = 'replay')::int AS replays,
        (array_agg(CASE action WHEN 'replay' THEN 'replayed' ELSE 'discarded' END ORDER BY id DESC)
          FILTER (WHERE action <> 'edit'))[1] AS status,
        (array_agg(payload ORDER BY id DESC) FILTER (WHERE action = 'edit'))[1] AS edited
      FROM dlq_actions WHERE dlq_actions.event_id = input.event_id
    ) AS done ON true
    ON CONFLICT DO NOTHING RETURNING event_id
  )
  SELECT event_id::text AS id FROM stored`;

/** The browsable copy of the dead-letter topic. */
export function deadLetterSink(pipeline: string, pool: Pool): Sink<StoredDeadLetter> {
  return transactionalSink(pipeline, pool, { write });
}

async function write(
  transaction: Transaction,
  items: readonly DeliverableItem<StoredDeadLetter>[],
): Promise<ReadonlySet<bigint>> {
  const { unique, repeats } = splitRepeats(items, item => item.event.eventId);
  const written = await storeDeadLetters(
    transaction,
    unique.map(item => item.event),
  );
  const known = unique.filter(item => !written.has(item.event.eventId));
  await noteNewest(transaction, [...known, ...items.filter(item => repeats.has(item.record.offset))]);
  return new Set([...repeats, ...known.map(item => item.record.offset)]);
}

/** What is a letter already may lie further on in its topic now; who waits for it to be seen goes by that. */
async function noteNewest(
  transaction: Transaction,
  known: readonly DeliverableItem<StoredDeadLetter>[],
): Promise<void> {
  if (known.length === 0) return;
  await transaction.query({
    name: 'note-newest-dead-letters',
    text: `UPDATE dlq_events AS e SET newest_offset = greatest(e.newest_offset, input.newest)
      FROM (SELECT id, max(newest) AS newest FROM unnest($1::uuid[], $2::bigint[]) AS i (id, newest) GROUP BY id) AS input
      WHERE e.event_id = input.id`,
    values: [known.map(item => item.event.eventId), known.map(item => item.event.offset.toString())],
  });
}

/** Adds letters to the table and answers with the ids of those that were not there. No id may come twice. */
export async function storeDeadLetters(
  transaction: Transaction,
  letters: readonly StoredDeadLetter[],
): Promise<ReadonlySet<string>> {
  const { rows } = await transaction.query<{ id: string }>({
    name: 'store-dead-letters',
    text: storeLetters,
    values: columns(letters),
  });
  return new Set(rows.map(row => row.id));
}

function columns(letters: readonly StoredDeadLetter[]): unknown[][] {
  return [
    letters.map(letter => letter.eventId),
    letters.map(letter => letter.pipeline),
    letters.map(letter => letter.topic),
    letters.map(letter => letter.partition),
    letters.map(letter => letter.offset.toString()),
    letters.map(letter => letter.key),
    letters.map(letter => letter.reason),
    letters.map(letter => letter.error),
    letters.map(letter => letter.payloadJson),
    letters.map(letter => letter.payload),
    letters.map(letter => letter.attempts),
    letters.map(letter => letter.failedAt),
    letters.map(letter => letter.keyBytes),
    letters.map(letter => JSON.stringify(letter.headers)),
    letters.map(letter => letter.replays),
    letters.map(letter => letter.originOffset.toString()),
  ];
}
