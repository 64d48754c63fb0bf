import { type DeliverableItem, deliverableItems, everythingNew, type Sink } from '@tidemark/pipeline';
import type { ChangeEvent } from '../codec/change-event.ts';
import { type BulkDocument, bulk } from './bulk.ts';

export interface ChangeIndexOptions {
  /** Base URL of the cluster, ending in a slash; user and password may be part of it. */
  readonly url: string;
  readonly index: string;
}

/**
 * Captured changes in Elasticsearch 8/9 or OpenSearch, one document each. The document's id is the change's and its
 * version the commit position, so repeats after a crash change nothing. Positions stay with the consumer group.
 */
export function changeIndexSink({ url, index }: ChangeIndexOptions): Sink<ChangeEvent> {
  return {
    open: async position => position.nextOffset,
    async deliver(batch, signal) {
      const items = deliverableItems(batch);
      if (items.length === 0) return everythingNew;
      const outcomes = await bulk(url, index, items.map(documentOf), signal);
      const stale = items.filter((_, place) => outcomes[place] === 'stale');
      return { duplicates: new Set(stale.map(item => item.record.offset)) };
    },
    close: async () => {},
  };
}

function documentOf({ event, record }: DeliverableItem<ChangeEvent>): BulkDocument {
  return {
    id: event.changeId,
    version: event.commitTs,
    source: {
      database: event.database,
      table: event.table,
      type: event.type,
      key: event.key,
      commit_ts: String(event.commitTs),
      committed_at: new Date(event.committedAtMs).toISOString(),
      captured_at: new Date(event.capturedAtMs).toISOString(),
      old: event.old,
      data: event.data,
      sql: event.sql,
      topic: record.topic,
      partition: record.partition,
      offset: String(record.offset),
      trace_id: event.traceId,
    },
  };
}
