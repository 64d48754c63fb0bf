import { crc32 } from 'node:zlib';
import { TidemarkError } from '@tidemark/kernel';
import type { TupleView } from '../protocol/tuple.ts';
import type { UniqueIndex } from './catalog.ts';
import { PartitionHash } from './partition-hash.ts';
import { tableMatcher } from './table-filter.ts';
import { hashedBytes, type ValueFormat } from './value-format.ts';

export const partitionRules = ['default', 'table', 'index-value', 'columns', 'ts'] as const;
export type PartitionRule = (typeof partitionRules)[number];

/** A routing rule of the Kafka sink (TiDB documentation, "Customize the rules for topic and partition dispatchers"). */
export interface DispatcherRule {
  readonly matcher: readonly string[];
  readonly partition: PartitionRule;
  /** For the rule `columns`: those whose values are hashed. */
  readonly columns?: readonly string[];
  /** For the rule `index-value`: the unique index whose columns are hashed; the key's when left out. */
  readonly index?: string;
}

/** A column that can be hashed. */
export interface HashedColumn {
  readonly index: number;
  readonly name: string;
  readonly format: ValueFormat;
  /** Its value is known for every change, deletes included. */
  readonly isAlwaysKnown: boolean;
}

/** Chooses the partition of a row. Unchanged values that were not sent with it stand in the fallback. */
export type Placement = (
  row: TupleView,
  fallback: TupleView | null,
  commitTs: bigint,
  partitions: number,
) => number;

/** A table of which the unique indexes are known. */
export interface IndexedTable {
  readonly database: string;
  readonly name: string;
  readonly uniqueIndexes: readonly UniqueIndex[];
}

export interface PlacementTable extends IndexedTable {
  readonly columns: readonly HashedColumn[];
  /** Names of the columns that identify a row. */
  readonly keys: ReadonlySet<string>;
}

/**
 * The rule that applies to a table; the first one that matches wins. `default` is `table`, as in TiCDC.
 * @throws TidemarkError `FILTER_RULE_INVALID`
 */
export function dispatcherOf(
  rules: readonly DispatcherRule[],
  caseSensitive: boolean,
): (database: string, table: string) => DispatcherRule {
  const parsed = rules.map(rule => ({ rule, tables: tableMatcher(rule.matcher, caseSensitive) }));
  return (database, table) =>
    parsed.find(({ tables }) => tables.matches(database, table))?.rule ?? {
      matcher: ['*.*'],
      partition: 'default',
    };
}

/** @throws TidemarkError `DISPATCHER_INVALID` when the rule cannot keep a row in its partition */
export function placement(rule: DispatcherRule, table: PlacementTable): Placement {
  switch (rule.partition) {
    case 'default':
    case 'table':
      return hashPlacement(table, []);
    case 'index-value': {
      const indexed = indexedColumns(rule, table);
      return hashPlacement(
        table,
        indexed === undefined
          ? table.columns.filter(column => table.keys.has(column.name))
          : chosenColumns(rule, indexed, table),
      );
    }
    case 'columns':
      return hashPlacement(table, chosenColumns(rule, rule.columns ?? [], table));
    case 'ts':
      return (_row, _fallback, commitTs, partitions) => Number(commitTs % BigInt(partitions));
    default:
      return rule.partition satisfies never;
  }
}

/**
 * The columns of the index that a rule names; undefined when it names none. The case of the name does not matter, as in
 * TiCDC, unless two indexes differ in nothing else.
 * @throws TidemarkError `DISPATCHER_INVALID` when there is no such index
 */
export function indexedColumns(rule: DispatcherRule, table: IndexedTable): readonly string[] | undefined {
  const { index: wanted } = rule;
  if (wanted === undefined || rule.partition !== 'index-value') return undefined;
  const found =
    table.uniqueIndexes.find(({ name }) => name === wanted) ??
    table.uniqueIndexes.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found.columns;
  throw new TidemarkError(
    'DISPATCHER_INVALID',
    `the dispatcher "index-value" cannot place rows of ${table.database}.${table.name}: it has no unique index ${wanted} over columns that are NOT NULL`,
    { hint: 'Name an index of the table, or create it: CREATE UNIQUE INDEX, without WHERE and expressions.' },
  );
}

function chosenColumns(
  { partition }: DispatcherRule,
  names: readonly string[],
  table: PlacementTable,
): readonly HashedColumn[] {
  return names.map(name => {
    const column = table.columns.find(each => each.name === name);
    if (column === undefined) throw invalid(partition, table, `it has no column ${name}`);
    if (!column.isAlwaysKnown) throw untold(partition, table, name);
    return column;
  });
}

/** A column is to decide about the partition whose value is not known for every change. */
export function untold(partition: PartitionRule, table: IndexedTable, column: string): TidemarkError {
  return invalid(partition, table, `a delete does not tell column ${column}`);
}

function invalid(partition: PartitionRule, { database, name }: IndexedTable, reason: string): TidemarkError {
  return new TidemarkError(
    'DISPATCHER_INVALID',
    `the dispatcher "${partition}" cannot place rows of ${database}.${name}: ${reason}`,
    { hint: 'Name columns of the table, and give it REPLICA IDENTITY FULL unless they are its key.' },
  );
}

function hashPlacement(table: PlacementTable, columns: readonly HashedColumn[]): Placement {
  const hash = new PartitionHash(table.database, table.name);
  const summed = columns.map(column => ({ ...column, nameSum: crc32(column.name) }));
  return (row, fallback, _commitTs, partitions) => {
    hash.reset();
    for (const { index, nameSum, format } of summed) {
      const tuple = fallback !== null && row.isUnchanged(index) ? fallback : row;
      const value = hashedBytes(format, tuple, index);
      if (value !== undefined) hash.add(nameSum, value);
    }
    return hash.partition(partitions);
  };
}
