import { deadLetterHeaders, topics } from '@tidemark/contracts/names';
import { headerText } from '@tidemark/pipeline';
import type { LogReader } from '../kafka/read-range.ts';

/** Places of which the dead-letter topic holds a letter of one pipeline. */
export type LetterIndex = ReadonlySet<string>;

export function placeKey(topic: string, partition: number, offset: bigint): string {
  return `${topic}/${partition}/${offset}`;
}

/**
 * Reads the whole dead-letter topic, which is the truth; the table that is derived from it may be a moment behind, or
 * may have lost rows. A topic that does not exist holds no letters.
 */
export async function readLetters(log: LogReader, pipeline: string): Promise<LetterIndex> {
  const found = new Set<string>();
  const ends = await log.ends(topics.deadLetters).catch(() => []);
  const starts = ends.length === 0 ? [] : await log.starts(topics.deadLetters);
  for (const [partition, end] of ends.entries()) {
    for await (const records of log.read(topics.deadLetters, partition, starts[partition] ?? 0n, end)) {
      for (const record of records) {
        if (headerText(record, deadLetterHeaders.pipeline) !== pipeline) continue;
        const { topic, partition: of, offset } = deadLetterHeaders;
        found.add([topic, of, offset].map(name => headerText(record, name)).join('/'));
      }
    }
  }
  return found;
}
