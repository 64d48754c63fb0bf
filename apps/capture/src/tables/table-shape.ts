import { crc32 } from 'node:zlib';
import {
  type ByteWriter,
  type RowValues,
  type Table,
  type TableEncoder,
  tableEncoder,
} from '@tidemark/canal-json';
import type { Relation } from '../protocol/pgoutput.ts';
import type { TupleView } from '../protocol/tuple.ts';
import { columnType } from './column-type.ts';
import { messageDatabase } from './names.ts';
import { PartitionHash } from './partition-hash.ts';
import { isSensitive } from './sensitive-columns.ts';
import { hashedValue, masked, type ValueFormat, writeValue } from './value-format.ts';

/** Column of the sample tables that carries the W3C trace context of the request that wrote the row. */
const traceColumn = 'trace_context';

export interface TableShapeOptions {
  /** Name of the database that the stream comes from. */
  readonly databaseName: string;
  readonly relation: Relation;
  /** Columns of the primary key, or null when the table has none or its identity says it better. */
  readonly primaryKey: readonly string[] | null;
  /** Names of the base types of columns whose type is not built in, by type number. */
  readonly typeNames: ReadonlyMap<number, string>;
}

/** Everything that encoding and placing a row of one version of a table takes. */
export interface TableShape {
  readonly database: string;
  readonly name: string;
  /** Indexes of the columns that identify a row; empty when nothing but the whole row does. */
  readonly keyColumns: readonly number[];
  /** Index of the column with the trace context, or -1. */
  readonly traceColumn: number;
  /** The encoder for rows of which all columns are known. */
  readonly encoder: TableEncoder;
  /** The encoder for rows of which only some columns are known; the others are left out, never made null. */
  encoderFor(isKnown: (column: number) => boolean): TableEncoder;
  /** Column numbers of the rows that `encoderFor` with the same choice writes. */
  values(
    row: TupleView,
    fallback: TupleView | null,
    isKnown: ((column: number) => boolean) | null,
  ): RowValues;
  partition(row: TupleView, fallback: TupleView | null, partitions: number): number;
}

/**
 * Key columns come from the row description, which is true for the moment of the change, unless the identity is the
 * full row: then the description marks every column, and the catalog has to say which ones are the primary key.
 */
function keyNames({ relation, primaryKey }: TableShapeOptions): readonly string[] {
  if (relation.replicaIdentity === 'f') return primaryKey ?? [];
  return relation.columns.filter(column => column.isKey).map(column => column.name);
}

export function tableShape(options: TableShapeOptions): TableShape {
  const { relation, databaseName, typeNames } = options;
  const types = relation.columns.map(column =>
    columnType(column.typeOid, column.typeModifier, typeNames.get(column.typeOid)),
  );
  const formats: ValueFormat[] = relation.columns.map((column, index) =>
    isSensitive(column.name) ? masked : (types[index]?.format ?? masked),
  );
  const keys = new Set(keyNames(options));
  const keyColumns = relation.columns.flatMap((column, index) => (keys.has(column.name) ? [index] : []));
  const table: Table = {
    database: messageDatabase(databaseName, relation.schema),
    name: relation.name,
    pkNames: keyColumns.map(index => relation.columns[index]?.name ?? ''),
    columns: relation.columns.map((column, index) => ({
      name: column.name,
      mysqlType: types[index]?.mysqlType ?? '',
      sqlType: types[index]?.sqlType ?? 0,
    })),
  };
  const partial = new Map<string, TableEncoder>();
  return {
    database: table.database,
    name: table.name,
    keyColumns,
    traceColumn: relation.columns.findIndex(column => column.name === traceColumn),
    encoder: tableEncoder(table),
    encoderFor(isKnown) {
      const signature = table.columns.map((_, index) => (isKnown(index) ? '1' : '0')).join('');
      let encoder = partial.get(signature);
      if (encoder === undefined) {
        encoder = tableEncoder({ ...table, columns: table.columns.filter((_, index) => isKnown(index)) });
        partial.set(signature, encoder);
      }
      return encoder;
    },
    values: (row, fallback, isKnown) => rowValues(formats, row, fallback, isKnown),
    partition: placement(table, keyColumns, formats),
  };
}

/** An unchanged value that was not sent stands in the old row, when that is whole. */
function tupleWith(row: TupleView, fallback: TupleView | null, column: number): TupleView {
  return fallback !== null && row.isUnchanged(column) ? fallback : row;
}

function rowValues(
  formats: readonly ValueFormat[],
  row: TupleView,
  fallback: TupleView | null,
  isKnown: ((column: number) => boolean) | null,
): RowValues {
  const columns = isKnown === null ? null : formats.flatMap((_, index) => (isKnown(index) ? [index] : []));
  return {
    writeValue(out: ByteWriter, index: number) {
      const column = columns === null ? index : (columns[index] ?? 0);
      writeValue(out, formats[column] ?? masked, tupleWith(row, fallback, column), column);
    },
  };
}

/** The `index-value` dispatcher over the key; the table alone decides for a table without a key, as in TiCDC. */
function placement(
  table: Table,
  keyColumns: readonly number[],
  formats: readonly ValueFormat[],
): TableShape['partition'] {
  const hash = new PartitionHash(table.database, table.name);
  const keys = keyColumns.map(column => ({
    column,
    nameSum: crc32(table.columns[column]?.name ?? ''),
    format: formats[column] ?? masked,
  }));
  return (row, fallback, partitions) => {
    hash.reset();
    for (const { column, nameSum, format } of keys) {
      const value = hashedValue(format, tupleWith(row, fallback, column), column);
      if (value !== undefined) hash.add(nameSum, value);
    }
    return hash.partition(partitions);
  };
}
