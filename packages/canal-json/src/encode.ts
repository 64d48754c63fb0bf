import { ByteWriter } from './byte-writer.ts';
import type { CanalMessage, DdlChange, Row, RowChange, Watermark } from './message.ts';
import { watermarkType } from './message.ts';
import { jsonText, type RowStamp, type RowValues, tableEncoder } from './table-encoder.ts';

/**
 * Writes a message in the layout of current TiCDC releases. For streams of rows of the same table use
 * `tableEncoder`, which is an order of magnitude faster.
 */
export function encode(message: CanalMessage): Buffer {
  switch (message.kind) {
    case 'row':
      return encodeRow(message);
    case 'ddl':
      return encodeDdl(message);
    case 'watermark':
      return encodeWatermark(message);
    default:
      return message satisfies never;
  }
}

function encodeRow(change: RowChange): Buffer {
  const names = Object.keys(change.sqlTypes);
  const columns = names.map(name => ({
    name,
    sqlType: change.sqlTypes[name] ?? 0,
    mysqlType: change.mysqlTypes[name] ?? '',
  }));
  const encoder = tableEncoder(
    { database: change.database, name: change.table, pkNames: change.pkNames, columns },
    { mysqlTypeOrder: Object.keys(change.mysqlTypes) },
  );
  const out = new ByteWriter();
  const old = change.old === null ? null : valuesOf(names, change.old);
  encoder.encode(out, change.type, stampOf(change), valuesOf(names, change.data), old);
  return out.take();
}

function valuesOf(names: readonly string[], row: Row): RowValues {
  return {
    holds: index => Object.hasOwn(row, names[index] ?? ''),
    writeValue(out, index) {
      const value = row[names[index] ?? ''] ?? null;
      if (value === null) out.ascii('null');
      else out.text(value);
    },
  };
}

function stampOf(change: RowChange): RowStamp {
  const members = [
    change.onlyHandleKey ? ',"onlyHandleKey":true' : '',
    change.claimCheckLocation === undefined
      ? ''
      : `,"claimCheckLocation":${jsonText(change.claimCheckLocation)}`,
    change.rowKey === undefined ? '' : `,"rowkey":${jsonText(change.rowKey)}`,
  ];
  return { esMs: change.esMs, tsMs: change.tsMs, commitTs: change.commitTs, extension: members.join('') };
}

/** A schema change. TiCDC writes DDL and watermarks from the struct, in which `data` stands before `old`. */
function encodeDdl(change: DdlChange): Buffer {
  const extension = change.commitTs === undefined ? '' : `,"_tidb":{"commitTs":${change.commitTs}}`;
  return structMessage({ ...change, isDdl: true, extension });
}

function encodeWatermark(mark: Watermark): Buffer {
  const extension = `,"_tidb":{"watermarkTs":${mark.watermarkTs}}`;
  return structMessage({
    ...mark,
    database: '',
    table: '',
    type: watermarkType,
    sql: '',
    isDdl: false,
    extension,
  });
}

interface StructMessage {
  readonly database: string;
  readonly table: string;
  readonly type: string;
  readonly sql: string;
  readonly isDdl: boolean;
  readonly esMs: number;
  readonly tsMs: number;
  readonly extension: string;
}

function structMessage(message: StructMessage): Buffer {
  const place = `"database":${jsonText(message.database)},"table":${jsonText(message.table)}`;
  const kind = `"pkNames":null,"isDdl":${message.isDdl},"type":"${message.type}"`;
  const stamps = `"es":${message.esMs},"ts":${message.tsMs},"sql":${jsonText(message.sql)}`;
  const rows = '"sqlType":null,"mysqlType":null,"data":null,"old":null';
  return Buffer.from(`{"id":0,${place},${kind},${stamps},${rows}${message.extension}}`, 'utf8');
}
