import type { DeliverableItem, Sink } from '@tidemark/pipeline';
import type { StoredDeadLetter } from '../kafka/dead-letters.ts';
import type { Pool, Transaction } from './pool.ts';
import { splitRepeats } from './repeats.ts';
import { transactionalSink } from './transactional-sink.ts';

const storeLetters = `
  WITH stored AS (
    INSERT INTO dlq_events (event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error,
      original_payload, payload_bytes, attempts, failed_at, key_bytes, headers, replays, origin_offset)
    SELECT event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error,
      original_payload::jsonb, payload_bytes, attempts, failed_at, key_bytes, headers::jsonb, replays, origin_offset
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[],
      $9::text[], $10::bytea[], $11::int[], $12::timestamptz[], $13::bytea[], $14::text[], $15::int[], $16::bigint[])
      AS input (event_id, pipeline, source_topic, source_partition, source_offset, key, reason, error,
        original_payload, payload_bytes, attempts, failed_at, key_bytes, headers, replays, origin_offset)
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
  const { rows } = await transaction.query<{ id: string }>({
    name: 'store-dead-letters',
    text: storeLetters,
    values: columns(unique),
  });
  const written = new Set(rows.map(row => row.id));
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

function columns(items: readonly DeliverableItem<StoredDeadLetter>[]): unknown[][] {
  const of = <T>(pick: (letter: StoredDeadLetter) => T) => items.map(item => pick(item.event));
  return [
    of(letter => letter.eventId),
    of(letter => letter.pipeline),
    of(letter => letter.topic),
    of(letter => letter.partition),
    of(letter => letter.offset.toString()),
    of(letter => letter.key),
    of(letter => letter.reason),
    of(letter => letter.error),
    of(letter => letter.payloadJson),
    of(letter => letter.payload),
    of(letter => letter.attempts),
    of(letter => letter.failedAt),
    of(letter => letter.keyBytes),
    of(letter => JSON.stringify(letter.headers)),
    of(letter => letter.replays),
    of(letter => letter.originOffset.toString()),
  ];
}
