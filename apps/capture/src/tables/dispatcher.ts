import { crc32 } from 'node:zlib';
import { TidemarkError } from '@tidemark/kernel';
import type { TupleView } from '../protocol/tuple.ts';
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

export interface PlacementTable {
  readonly database: string;
  readonly name: string;
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
    case 'index-value':
      return hashPlacement(
        table,
        table.columns.filter(column => table.keys.has(column.name)),
      );
    case 'columns':
      return hashPlacement(table, chosenColumns(rule, table));
    case 'ts':
      return (_row, _fallback, commitTs, partitions) => Number(commitTs % BigInt(partitions));
    default:
      return rule.partition satisfies never;
  }
}

function chosenColumns(rule: DispatcherRule, table: PlacementTable): readonly HashedColumn[] {
  return (rule.columns ?? []).map(name => {
    const column = table.columns.find(each => each.name === name);
    if (column === undefined) throw invalid(table, `it has no column ${name}`);
    if (!column.isAlwaysKnown) {
      throw invalid(table, `a delete does not tell column ${name}`);
    }
    return column;
  });
}

function invalid({ database, name }: PlacementTable, reason: string): TidemarkError {
  return new TidemarkError(
    'DISPATCHER_INVALID',
    `the dispatcher "columns" cannot place rows of ${database}.${name}: ${reason}`,
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
