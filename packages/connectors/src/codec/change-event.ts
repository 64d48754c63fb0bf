import {
  type CanalMessage,
  decode,
  previousRow,
  type Row,
  type RowChange,
  tsoFromMs,
} from '@tidemark/canal-json';
import { headers } from '@tidemark/contracts/names';
import { errorCode } from '@tidemark/kernel';
import { type Decision, headerText, type SourceRecord } from '@tidemark/pipeline';

/** A captured change, ready to be stored. */
export interface ChangeEvent {
  /** Identity: a repeat of the same change carries the same one. */
  readonly changeId: string;
  readonly database: string;
  readonly table: string;
  /** INSERT, UPDATE, DELETE or a DDL type of Canal-JSON. */
  readonly type: string;
  /** Primary key values joined by a comma; empty for DDL and for tables without a key. */
  readonly key: string;
  /** A TSO; made of the commit time when the message carries none. */
  readonly commitTs: bigint;
  readonly committedAtMs: number;
  readonly capturedAtMs: number;
  /** The whole row before an UPDATE, as far as the source said. */
  readonly old: Row | null;
  /** The row after an INSERT or UPDATE, the removed row of a DELETE. */
  readonly data: Row | null;
  /** The statement of a DDL. */
  readonly sql: string | null;
  readonly traceId: string | null;
}

/**
 * Canal-JSON to change events. Watermarks and messages without content describe no change and are filtered on purpose;
 * what cannot be read is rejected.
 */
export function decodeChange(record: SourceRecord): Decision<ChangeEvent> {
  if (record.value === null || record.value.length === 0) return { fate: 'filtered' };
  const message = read(record.value);
  if (message === undefined || message.kind === 'watermark') return { fate: 'filtered' };
  return { fate: 'deliver', event: changeOf(message, record) };
}

function read(value: Buffer): CanalMessage | undefined {
  try {
    return decode(value);
  } catch (error) {
    if (errorCode(error) === 'CANAL_JSON_EMPTY') return undefined;
    throw error; // the pipeline rejects what its codec cannot read
  }
}

function changeOf(message: Exclude<CanalMessage, { kind: 'watermark' }>, record: SourceRecord): ChangeEvent {
  const row = message.kind === 'row' ? message : undefined;
  const key = row ? keyOf(row) : '';
  return {
    changeId: headerText(record, headers.changeId) ?? composedId(message, key, record),
    database: message.database,
    table: message.table,
    type: message.type,
    key,
    commitTs: message.commitTs ?? tsoFromMs(message.esMs),
    committedAtMs: message.esMs,
    capturedAtMs: message.tsMs,
    old: row?.type === 'UPDATE' ? previousRow(row) : null,
    data: row?.data ?? null,
    sql: message.kind === 'ddl' ? message.sql : null,
    traceId: traceIdOf(headerText(record, headers.traceparent)),
  };
}

function keyOf({ pkNames, data }: RowChange): string {
  return pkNames.map(name => data[name] ?? '').join(',');
}

/**
 * The identity of a change that carries none. TiCDC repeats a change with the same commitTs after a failover, and
 * changes a row once per transaction. Without the TiDB extension only the place in the log remains; the timestamp
 * tells a topic that was made anew from the old one.
 */
function composedId(
  {
    database,
    table,
    type,
    commitTs,
  }: { database: string; table: string; type: string; commitTs: bigint | undefined },
  key: string,
  record: SourceRecord,
): string {
  if (commitTs !== undefined) return `${database}.${table}:${key}:${commitTs}:${type}`;
  return `${record.topic}/${record.partition}/${record.offset}@${record.timestampMs}`;
}

/** W3C Trace Context: version-traceid-parentid-flags. */
function traceIdOf(traceparent: string | undefined): string | null {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1] ?? null;
}
