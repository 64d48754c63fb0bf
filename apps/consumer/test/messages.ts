import { randomUUID } from 'node:crypto';
import type { OutgoingMessage } from '@tidemark/connectors';
import { headers, topics } from '@tidemark/contracts';

/** A review event as it travels. */
export function reviewMessage(key: string, rating = 4): OutgoingMessage {
  const event = {
    event_id: randomUUID(),
    event_type: 'review_created',
    key,
    ts: new Date().toISOString(),
    schema_version: 1,
    payload: { review_id: `r-${randomUUID()}`, rating, text: 'good' },
  };
  return { topic: topics.events, key: Buffer.from(key), value: Buffer.from(JSON.stringify(event)) };
}

/** A captured change of a row of `accounts`; `sequence` is its commit position. */
export function changeMessage(id: number, sequence: number): OutgoingMessage {
  const timeMs = Date.now();
  const message = {
    id: 0,
    database: 'sre_app',
    table: 'accounts',
    pkNames: ['id'],
    isDdl: false,
    type: 'INSERT',
    es: timeMs,
    ts: timeMs,
    sql: '',
    sqlType: { id: 4, balance: 4 },
    mysqlType: { id: 'int', balance: 'int' },
    old: null,
    data: [{ id: String(id), balance: String(sequence) }],
    _tidb: { commitTs: sequence },
  };
  return {
    topic: topics.changes,
    key: Buffer.from(String(id)),
    value: Buffer.from(JSON.stringify(message)),
    headers: [[Buffer.from(headers.changeId), Buffer.from(`sre-cdc:${sequence}:0`)]],
  };
}

export function reviewMessages(count: number): OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => reviewMessage(`user:${index % 17}`));
}
