import { pipelines, topics } from '@tidemark/contracts/names';
import { decodeRecord, isDeliverable, type SourceRecord } from '@tidemark/pipeline';
import type { KafkaConnection } from '../kafka/client-options.ts';
import { decodeDeadLetter } from '../kafka/dead-letters.ts';
import { LogReader } from '../kafka/read-range.ts';
import { storeDeadLetters } from './dead-letter-sink.ts';
import { inTransaction, type Pool } from './pool.ts';

export interface RebuildResult {
  /** Records of the dead-letter topic that were looked at. */
  readonly read: number;
  /** Letters that were missing in the table. */
  readonly restored: number;
}

const storedPositions =
  'SELECT partition, next_offset FROM pipeline_positions WHERE pipeline = $1 AND topic = $2 ORDER BY partition';

const never = new AbortController().signal;

/**
 * Puts back what the table of dead letters lacks, from the topic up to where the pipeline that derives the table has
 * come; what follows is that pipeline's to bring. May run at any time, as often as one likes.
 */
export async function rebuildDeadLetters(connection: KafkaConnection, pool: Pool): Promise<RebuildResult> {
  const { rows } = await pool.query<{ partition: number; next_offset: string }>(storedPositions, [
    pipelines.deadLettersToPostgres,
    topics.deadLetters,
  ]);
  const log = new LogReader(connection);
  let read = 0;
  let restored = 0;
  try {
    const [starts, ends] = [await log.starts(topics.deadLetters), await log.ends(topics.deadLetters)];
    for (const { partition, next_offset } of rows) {
      const end = ends[partition] ?? 0n;
      const position = BigInt(next_offset);
      const to = end < position ? end : position;
      const range = log.read(topics.deadLetters, partition, starts[partition] ?? 0n, to);
      for await (const records of range) {
        read += records.length;
        restored += await restore(pool, records);
      }
    }
    return { read, restored };
  } finally {
    await log.close();
  }
}

async function restore(pool: Pool, records: readonly SourceRecord[]): Promise<number> {
  const letters = records
    .map(record => decodeRecord(decodeDeadLetter, record, record.timestampMs))
    .filter(isDeliverable)
    .map(item => item.event);
  // Of several copies the table has the first.
  const unique = [
    ...new Map(letters.toReversed().map(letter => [letter.eventId, letter])).values(),
  ].toReversed();
  if (unique.length === 0) return 0;
  return inTransaction(pool, never, async transaction => (await storeDeadLetters(transaction, unique)).size);
}
