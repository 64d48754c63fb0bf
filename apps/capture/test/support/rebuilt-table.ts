import assert from 'node:assert/strict';
import type { Row } from '@tidemark/canal-json';
import type { KeptMessage } from './file-topic.ts';

/** The message without the time of its encoding, which a repeat may change. */
function timeless(text: string): string {
  return text.replace(/"ts":\d+/, '"ts":0');
}

/** Every change once, in the order of first arrival. Fails when a repeat differs from the first. */
export function withoutRepeats(messages: readonly KeptMessage[]): readonly KeptMessage[] {
  const first = new Map<string, KeptMessage>();
  for (const message of messages) {
    const known = first.get(message.changeId);
    if (known === undefined) {
      first.set(message.changeId, message);
    } else {
      assert.equal(
        timeless(message.text),
        timeless(known.text),
        `${message.changeId} repeats with other content`,
      );
      assert.equal(message.partition, known.partition);
    }
  }
  return [...first.values()];
}

/** The table that a consumer has after applying the changes, by key. */
export function rebuiltTable(messages: readonly KeptMessage[], table: string): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const { row } of messages) {
    if (row.table !== table) continue;
    const key = row.pkNames.map(name => row.data[name]).join(',');
    if (row.type === 'DELETE') assert.ok(rows.delete(key), `${table} ${key} is deleted but not there`);
    else rows.set(key, { ...rows.get(key), ...row.data });
  }
  return rows;
}
