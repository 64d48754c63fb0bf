import { isUtf8 } from 'node:buffer';
import { uncompressed } from './compression.ts';
import { badField, emptyMessage, notJson, notUtf8, type Path } from './faults.ts';
import { findSpan } from './json-span.ts';
import {
  type CanalMessage,
  type DdlChange,
  type DdlType,
  ddlTypes,
  type Row,
  type RowChange,
  type RowType,
  rowTypes,
  type Watermark,
  watermarkType,
} from './message.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads one Canal-JSON message. Both field layouts, with and without the TiDB extension, of every TiCDC release.
 *
 * Oddities of releases and what they mean here: a trailing CRLF (v6.5.10) is white space; `old:[null]` (v5.1) is no
 * old row; `old` on a DELETE (before v5.4) repeats `data` and is dropped; `pkNames:null` is no key; the text "null"
 * stays a text. Values that TiCDC compressed are recognised.
 *
 * @throws TidemarkError `CANAL_JSON_EMPTY` for a message without content, `CANAL_JSON_SYNTAX` for what is not JSON,
 *   `CANAL_JSON_COMPRESSION` for compressed bytes that cannot be read, `CANAL_JSON_FIELD` for a field that is missing or malformed; field and byte position are named in its facts.
 */
export function decode(value: Uint8Array): CanalMessage {
  if (value.length === 0) throw emptyMessage();
  const message = uncompressed(value);
  if (!isUtf8(message)) throw notUtf8();
  const text = Buffer.from(message.buffer, message.byteOffset, message.length).toString('utf8');
  const fields = parseObject(text);
  const { type } = fields;
  if (isOneOf(rowTypes, type)) return readRow(text, fields, type);
  if (type === watermarkType) return readWatermark(text, fields);
  if (isOneOf(ddlTypes, type)) return readDdl(text, fields, type);
  throw badField(text, ['type'], 'must be INSERT, UPDATE, DELETE, TIDB_WATERMARK or a DDL type');
}

function parseObject(text: string): Fields {
  if (text.trim() === '') throw emptyMessage();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw notJson(text, error);
  }
  if (!isObject(parsed)) throw notJson(text, new Error('at position 0'));
  return parsed;
}

function readRow(text: string, fields: Fields, type: RowType): RowChange {
  const extension = readExtension(text, fields);
  const data = readRows(text, fields, 'data');
  if (data === null) throw badField(text, ['data'], 'must hold the row');
  return {
    kind: 'row',
    type,
    database: textAt(text, fields, 'database'),
    table: textAt(text, fields, 'table'),
    pkNames: readKeyNames(text, fields),
    ...readStamps(text, fields),
    sqlTypes: readTypes(text, fields, 'sqlType', 'number') as Record<string, number>,
    mysqlTypes: readTypes(text, fields, 'mysqlType', 'string') as Record<string, string>,
    data,
    old: type === 'UPDATE' ? readRows(text, fields, 'old') : null,
    commitTs: bigintAt(text, extension, 'commitTs'),
    onlyHandleKey: extension?.['onlyHandleKey'] === true,
    claimCheckLocation: optionalTextAt(text, extension, 'claimCheckLocation'),
    rowKey: optionalTextAt(text, extension, 'rowkey'),
  };
}

function readDdl(text: string, fields: Fields, type: DdlType): DdlChange {
  return {
    kind: 'ddl',
    type,
    database: textAt(text, fields, 'database'),
    table: textAt(text, fields, 'table'),
    ...readStamps(text, fields),
    sql: textAt(text, fields, 'sql'),
    commitTs: bigintAt(text, readExtension(text, fields), 'commitTs'),
  };
}

function readWatermark(text: string, fields: Fields): Watermark {
  const watermarkTs = bigintAt(text, readExtension(text, fields), 'watermarkTs');
  if (watermarkTs === undefined) {
    throw badField(text, ['_tidb', 'watermarkTs'], 'a watermark must carry it');
  }
  return { kind: 'watermark', ...readStamps(text, fields), watermarkTs };
}

function readStamps(text: string, fields: Fields): { esMs: number; tsMs: number } {
  return { esMs: millisAt(text, fields, 'es'), tsMs: millisAt(text, fields, 'ts') };
}

function millisAt(text: string, fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw badField(text, [name], 'must be a whole number of milliseconds');
}

function textAt(text: string, fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw badField(text, [name], 'must be a text');
}

function readKeyNames(text: string, fields: Fields): readonly string[] {
  const names = fields['pkNames'] ?? [];
  if (Array.isArray(names) && names.every(name => typeof name === 'string')) return names;
  throw badField(text, ['pkNames'], 'must be a list of column names or null');
}

function readTypes(text: string, fields: Fields, field: string, kind: 'number' | 'string'): Fields {
  const types = fields[field] ?? {};
  if (!isObject(types)) throw badField(text, [field], 'must be an object of types by column');
  for (const column of Object.keys(types)) {
    if (typeof types[column] !== kind) throw badField(text, [field, column], `must be a ${kind}`);
  }
  return types;
}

/** The one row of `data` or `old`; null when there is none. */
function readRows(text: string, fields: Fields, field: string): Row | null {
  const rows = fields[field] ?? [];
  if (!Array.isArray(rows)) throw badField(text, [field], 'must be a list of rows or null');
  if (rows.length > 1) throw badField(text, [field, 1], 'more than one row in a message; TiCDC sends one');
  const row: unknown = rows[0] ?? null;
  if (row === null) return null;
  return checkRow(text, [field, 0], row);
}

function checkRow(text: string, path: Path, row: unknown): Row {
  if (!isObject(row)) throw badField(text, path, 'must be an object of values by column');
  for (const column of Object.keys(row)) {
    const value = row[column];
    if (typeof value !== 'string' && value !== null) {
      throw badField(text, [...path, column], 'must be a text or null');
    }
  }
  return row as Row;
}

function readExtension(text: string, fields: Fields): Fields | undefined {
  const extension = fields['_tidb'] ?? undefined;
  if (extension === undefined || isObject(extension)) return extension;
  throw badField(text, ['_tidb'], 'must be an object');
}

function optionalTextAt(text: string, extension: Fields | undefined, name: string): string | undefined {
  const value = extension?.[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw badField(text, ['_tidb', name], 'must be a text');
}

/** An unsigned 64-bit number of the extension, read from the text because a JavaScript number would round it. */
function bigintAt(text: string, extension: Fields | undefined, name: string): bigint | undefined {
  const value = extension?.[name] ?? undefined;
  if (value === undefined) return undefined;
  const digits = typeof value === 'number' ? digitsOf(text, name) : '';
  if (!/^\d{1,20}$/.test(digits) || BigInt(digits) > 0xffff_ffff_ffff_ffffn) {
    throw badField(text, ['_tidb', name], 'must be an unsigned 64-bit number');
  }
  return BigInt(digits);
}

const stamp = /"_tidb":\{"(commitTs|watermarkTs)":(\d+)[,}]/g;

/** Digits as they stand in the message. TiCDC puts the number first in the last field, so a look there mostly does. */
function digitsOf(text: string, name: string): string {
  stamp.lastIndex = Math.max(text.lastIndexOf('"_tidb":{"'), 0);
  const match = stamp.exec(text);
  if (match?.[1] === name && match[2] !== undefined && endsTheMessage(text, stamp.lastIndex)) return match[2];
  const span = findSpan(text, ['_tidb', name]);
  return span === undefined ? '' : text.slice(span.start, span.end);
}

/** True when at most the closing braces follow, so that the extension found is the message's own and the last one. */
function endsTheMessage(text: string, from: number): boolean {
  return text.length - from <= 1 && text.endsWith('}}');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOneOf<T extends string>(options: readonly T[], value: unknown): value is T {
  return (options as readonly unknown[]).includes(value);
}
