import { type ByteWriter, type RowValues, type TableEncoder, tableEncoder } from '@tidemark/canal-json';
import type { Relation } from '../protocol/pgoutput.ts';
import type { TupleView } from '../protocol/tuple.ts';
import type { TableKeys } from './catalog.ts';
import type { TreatColumns } from './column-treatment.ts';
import { type ColumnType, columnType, secretType } from './column-type.ts';
import { type DispatcherRule, indexedColumns, type Placement, placement } from './dispatcher.ts';
import { messageDatabase } from './names.ts';
import { hashed, masked, type ValueFormat, writeValue } from './value-format.ts';

/** Column of the sample tables that carries the W3C trace context of the request that wrote the row. */
const traceColumnName = 'trace_context';

/** What a changefeed decides about the tables that it captures. */
export interface TableRules {
  readonly treat: TreatColumns;
  readonly dispatcher: (database: string, table: string) => DispatcherRule;
  /** Key of hashed columns. */
  readonly maskKey: Uint8Array;
  /** Writes types with their parameters (`content-compatible`). */
  readonly fullTypes?: boolean;
  /** Leaves out of `old` what did not change (`only-output-updated-columns`). */
  readonly onlyUpdated?: boolean;
}

/** Of the keys, the primary one is looked at only when the replica identity is the full row. */
export interface TableShapeOptions extends TableRules, TableKeys {
  /** Name of the database that the stream comes from. */
  readonly databaseName: string;
  readonly relation: Relation;
  /** Names of the base types of columns whose type is not built in, by type number. */
  readonly typeNames: ReadonlyMap<number, string>;
}

/** A column as messages show it. */
interface ShownColumn extends ColumnType {
  /** Its place in the tuples of the stream. */
  readonly index: number;
  readonly name: string;
}

/** How rows are written of which certain columns are known. */
export interface RowForm {
  readonly encoder: TableEncoder;
  /** Values are those of the row; what was not sent with it, of the fallback. */
  values(row: TupleView, fallback: TupleView | null): RowValues;
  /** Values of a row before it was changed. */
  oldValues(old: TupleView, row: TupleView): RowValues;
}

/** Everything that encoding and placing a row of one version of a table takes. */
export interface TableShape {
  /** What the server said about it. */
  readonly relation: Relation;
  readonly database: string;
  readonly name: string;
  /** Places of the columns that identify a row; empty when nothing but the whole row does. */
  readonly keyColumns: readonly number[];
  /** Places of the columns whose change makes a row another one: those of the key, and of the index that places rows. */
  readonly splitColumns: readonly number[];
  /** The key itself must not be kept or shown. */
  readonly hasSecretKey: boolean;
  /** Place of the column with the trace context, or -1. */
  readonly traceColumn: number;
  /** For rows of which all columns are known. */
  readonly wholeRow: RowForm;
  /** For rows of which only some columns are known; the others are left out, never made null. */
  partialRow(isKnown: (column: number) => boolean): RowForm;
  readonly place: Placement;
}

/**
 * @throws TidemarkError `COLUMN_SELECTOR_INVALID` or `DISPATCHER_INVALID` when the changefeed's rules do not fit the table
 */
export function tableShape(options: TableShapeOptions): TableShape {
  const { relation, databaseName, treat, dispatcher } = options;
  const database = messageDatabase(databaseName, relation.schema);
  const { name, replicaIdentity } = relation;
  const columnNames = relation.columns.map(column => column.name);
  const keys = new Set(keyNames(options));
  const treatments = treat(database, name, columnNames, keys);
  const all = relation.columns.map((_, index) => shownColumn(options, index, treatments[index] ?? 'mask'));
  const shown = all.filter((_, index) => treatments[index] !== 'remove');
  const onlyUpdated = options.onlyUpdated === true;
  const formOf = (columns: readonly ShownColumn[]) => rowForm({ database, name, keys, columns, onlyUpdated });
  const partial = new Map<string, RowForm>();
  const rule = dispatcher(database, name);
  const indexed = { database, name, uniqueIndexes: options.uniqueIndexes };
  const placesOf = (names: ReadonlySet<string>) =>
    columnNames.flatMap((column, index) => (names.has(column) ? [index] : []));
  return {
    relation,
    database,
    name,
    keyColumns: placesOf(keys),
    splitColumns: placesOf(new Set([...keys, ...(indexedColumns(rule, indexed) ?? [])])),
    hasSecretKey: columnNames.some((column, index) => keys.has(column) && treatments[index] !== 'keep'),
    traceColumn: columnNames.indexOf(traceColumnName),
    wholeRow: formOf(shown),
    partialRow(isKnown) {
      const columns = shown.filter(column => isKnown(column.index));
      const signature = columns.map(column => column.index).join();
      const form = partial.get(signature) ?? formOf(columns);
      partial.set(signature, form);
      return form;
    },
    place: placement(rule, {
      ...indexed,
      keys,
      columns: all.map(column => ({
        ...column,
        isAlwaysKnown: replicaIdentity === 'f' || keys.has(column.name),
      })),
    }),
  };
}

/**
 * Key columns come from the row description, which is true for the moment of the change, unless the identity is the
 * full row: then the description marks every column, and the catalog has to say which ones are the primary key.
 */
function keyNames({ relation, primaryKey }: TableShapeOptions): readonly string[] {
  if (relation.replicaIdentity === 'f') return primaryKey ?? [];
  return relation.columns.filter(column => column.isKey).map(column => column.name);
}

function shownColumn(
  { relation, typeNames, maskKey, fullTypes }: TableShapeOptions,
  index: number,
  treatment: 'keep' | 'remove' | 'mask' | 'hash',
): ShownColumn {
  const { name = '', typeOid = 0, typeModifier = -1 } = relation.columns[index] ?? {};
  const secret = (format: ValueFormat) => ({ ...secretType, format });
  const shown = columnType(typeOid, typeModifier, typeNames.get(typeOid));
  const treated = { keep: shown, remove: shown, mask: secret(masked), hash: secret(hashed(maskKey)) };
  const type = treated[treatment];
  return { ...type, mysqlType: fullTypes === true ? type.fullType : type.mysqlType, index, name };
}

interface RowFormOptions {
  readonly database: string;
  readonly name: string;
  readonly keys: ReadonlySet<string>;
  readonly columns: readonly ShownColumn[];
  readonly onlyUpdated: boolean;
}

function rowForm({ database, name, keys, columns, onlyUpdated }: RowFormOptions): RowForm {
  const pkNames = columns.map(column => column.name).filter(column => keys.has(column));
  const values = (row: TupleView, fallback: TupleView | null): RowValues => ({
    writeValue(out: ByteWriter, at: number) {
      const { index, format } = columns[at] as ShownColumn;
      writeValue(out, format, fallback !== null && row.isUnchanged(index) ? fallback : row, index);
    },
  });
  return {
    encoder: tableEncoder({ database, name, pkNames, columns }),
    values,
    oldValues(old, row) {
      if (!onlyUpdated) return values(old, null);
      const isUpdated = (at: number) => {
        const { index } = columns[at] as ShownColumn;
        return !row.isUnchanged(index) && !row.sameAs(old, index);
      };
      return { ...values(old, null), holds: isUpdated };
    },
  };
}
