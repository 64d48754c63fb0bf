import assert from 'node:assert/strict';
import { headers } from '@tidemark/contracts';
import type { TopicMessage } from './topic-reader.ts';

/** A change of a row, as far as a table is rebuilt from it. */
export interface TopicChange {
  readonly table: string;
  readonly type: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly pkNames: readonly string[] | null;
  readonly row: Readonly<Record<string, string | null>>;
}

export interface ReadTopic {
  readonly changes: readonly TopicChange[];
  /** Messages that said again what one before had said. */
  readonly repeats: number;
}

interface CanalMessage {
  readonly isDdl: boolean;
  readonly type: string;
  readonly table: string;
  readonly pkNames: readonly string[] | null;
  readonly data: readonly Readonly<Record<string, string | null>>[] | null;
}

/**
 * The changes of a topic, each once. Fails when a repeat is not what came first, or came to another partition: a
 * consumer recognises it by its position, and must not lose anything by passing over it.
 */
export function readChanges(messages: readonly TopicMessage[]): ReadTopic {
  const first = new Map<string, TopicMessage>();
  const changes: TopicChange[] = [];
  let repeats = 0;
  for (const message of messages) {
    const id = changeIdOf(message);
    if (id === undefined) continue; // a watermark
    const known = first.get(id);
    if (known !== undefined) {
      repeats += 1;
      assert.equal(timeless(message.text), timeless(known.text), `${id} repeats with other content`);
      assert.equal(message.partition, known.partition, `${id} repeats in another partition`);
      continue;
    }
    first.set(id, message);
    const { isDdl, type, table, pkNames, data } = JSON.parse(message.text) as CanalMessage;
    if (!isDdl) changes.push({ table, type: type as TopicChange['type'], pkNames, row: data?.[0] ?? {} });
  }
  return { changes, repeats };
}

/** The rows that a consumer of the topic has of a table, by key. */
export function rebuilt(
  changes: readonly TopicChange[],
  table: string,
): ReadonlyMap<string, TopicChange['row']> {
  const rows = new Map<string, TopicChange['row']>();
  for (const change of changes) {
    if (change.table !== table) continue;
    const key = (change.pkNames ?? []).map(name => change.row[name]).join();
    if (change.type === 'DELETE') assert.ok(rows.delete(key), `${table} ${key} is deleted but not there`);
    else rows.set(key, { ...rows.get(key), ...change.row });
  }
  return rows;
}

function changeIdOf({ headers: text }: TopicMessage): string | undefined {
  const start = `${headers.changeId}: `;
  return text
    .split('\n')
    .find(line => line.startsWith(start))
    ?.slice(start.length);
}

/** The message without the time of its encoding, which a repeat may change. */
function timeless(text: string): string {
  return text.replace(/"ts":\d+/, '"ts":0');
}
