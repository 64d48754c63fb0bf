import type { ByteWriter } from './byte-writer.ts';
import type { RowType } from './message.ts';

export interface Column {
  readonly name: string;
  /** JDBC type number. */
  readonly sqlType: number;
  readonly mysqlType: string;
}

/** What all messages about the rows of one table have in common. */
export interface Table {
  readonly database: string;
  readonly name: string;
  /** Primary key columns in table order. */
  readonly pkNames: readonly string[];
  /** Columns in table order. */
  readonly columns: readonly Column[];
}

/** A row whose values are written on demand, so that nobody has to build an object of them first. */
export interface RowValues {
  /** Writes column `index` of the table as a JSON string literal or `null`. */
  writeValue(out: ByteWriter, index: number): void;
  /** Columns for which this is false are left out of the row. Every column is held where the method is left out. */
  holds?(index: number): boolean;
}

export interface RowStamp {
  readonly esMs: number;
  readonly tsMs: number;
  readonly commitTs: bigint | undefined;
  /** JSON text of further members of `_tidb` with a leading comma, such as `,"onlyHandleKey":true`. */
  readonly extension?: string;
}

/** Encodes the rows of one table; everything that does not change from row to row is bytes made once. */
export interface TableEncoder {
  /** Writes one message in the layout of current TiCDC releases; `out.take()` returns it. */
  encode(out: ByteWriter, type: RowType, stamp: RowStamp, data: RowValues, old: RowValues | null): void;
}

export interface TableEncoderOptions {
  /** Column order of the `mysqlType` object; table order unless given. TiCDC's own order is random. */
  readonly mysqlTypeOrder?: readonly string[];
}

/**
 * Field order of a row message: id, database, table, pkNames, isDdl, type, es, ts, sql, sqlType, mysqlType, old, data,
 * _tidb (pingcap/ticdc, pkg/sink/codec/canal/canal_json_encoder.go).
 */
export function tableEncoder(table: Table, options: TableEncoderOptions = {}): TableEncoder {
  const head = {
    INSERT: headOf(table, 'INSERT'),
    UPDATE: headOf(table, 'UPDATE'),
    DELETE: headOf(table, 'DELETE'),
  };
  const types = bytes(`,"sql":"",${typesOf(table, options.mysqlTypeOrder)},"old":`);
  const keys = table.columns.map(column => bytes(`${jsonText(column.name)}:`));

  const writeRow = (out: ByteWriter, row: RowValues) => {
    let separator = '[{';
    for (const [index, key] of keys.entries()) {
      if (row.holds?.(index) === false) continue;
      out.ascii(separator);
      out.raw(key);
      row.writeValue(out, index);
      separator = ',';
    }
    out.ascii(separator === ',' ? '}]' : '[{}]');
  };
  return {
    encode(out, type, stamp, data, old) {
      out.raw(head[type]);
      out.ascii(`${stamp.esMs},"ts":${stamp.tsMs}`);
      out.raw(types);
      if (old === null) out.ascii('null');
      else writeRow(out, old);
      out.ascii(',"data":');
      writeRow(out, data);
      if (stamp.commitTs === undefined) out.ascii('}');
      else out.raw(bytes(`,"_tidb":{"commitTs":${stamp.commitTs}${stamp.extension ?? ''}}}`));
    },
  };
}

function headOf(table: Table, type: RowType): Buffer {
  const names = table.pkNames.map(jsonText).join(',');
  const place = `"database":${jsonText(table.database)},"table":${jsonText(table.name)}`;
  return bytes(`{"id":0,${place},"pkNames":[${names}],"isDdl":false,"type":"${type}","es":`);
}

function typesOf(table: Table, mysqlTypeOrder: readonly string[] | undefined): string {
  const byName = new Map(table.columns.map(column => [column.name, column]));
  const sqlTypes = table.columns.map(column => `${jsonText(column.name)}:${column.sqlType}`);
  const mysqlTypes = (mysqlTypeOrder ?? byName.keys()).map(
    name => `${jsonText(name)}:${jsonText(byName.get(name)?.mysqlType ?? '')}`,
  );
  return `"sqlType":{${sqlTypes.join(',')}},"mysqlType":{${[...mysqlTypes].join(',')}}`;
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** A JSON string literal with TiCDC's escapes. */
export function jsonText(value: string): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]|\\./g, escaped => {
    if (escaped === '\\b') return '\\u0008';
    if (escaped === '\\f') return '\\u000c';
    if (escaped.startsWith('\\')) return escaped;
    return `\\u${escaped.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
