import { describeError, isTidemarkError } from '@tidemark/kernel';
import type { CatalogTable } from './catalog.ts';
import type { TreatColumns } from './column-treatment.ts';
import { type DispatcherRule, indexedColumns, untold } from './dispatcher.ts';
import { type EligibilityOptions, whyIneligible } from './eligibility.ts';
import { messageDatabase } from './names.ts';
import type { TableFilter } from './table-filter.ts';

export interface Selection {
  /** Tables to publish. */
  readonly tables: readonly CatalogTable[];
  /** Why each of the other tables that the filter names cannot be captured. */
  readonly ineligible: readonly string[];
}

export interface SelectionOptions extends EligibilityOptions {
  /** What happens to columns; it may refuse a table whose key it would take away. */
  readonly treat: TreatColumns;
  /** The rule that places the rows of a table; it may name an index that is not there. */
  readonly dispatcher: (database: string, table: string) => DispatcherRule;
}

/** The tables that the filter names, apart from those whose rows cannot be captured. */
export function selectTables(
  tables: readonly CatalogTable[],
  database: string,
  filter: TableFilter,
  options: SelectionOptions,
): Selection {
  const wanted = tables.filter(table => filter.matches(messageDatabase(database, table.schema), table.name));
  const reasons = wanted.map(
    table => whyIneligible(table, options) ?? whyRulesRefuse(table, database, options),
  );
  return {
    tables: wanted.filter((_, index) => reasons[index] === undefined),
    ineligible: reasons.filter(reason => reason !== undefined),
  };
}

/** Why the rules about columns and partitions do not fit a table; the key is that of the catalog. */
function whyRulesRefuse(
  table: CatalogTable,
  databaseName: string,
  { treat, dispatcher }: SelectionOptions,
): string | undefined {
  const { schema, name, primaryKey } = table;
  const database = messageDatabase(databaseName, schema);
  const key = primaryKey ?? [];
  try {
    treat(database, name, key, new Set(key));
    checkIndex(dispatcher(database, name), table, database);
    return undefined;
  } catch (error) {
    const hint = isTidemarkError(error) && error.hint !== undefined ? `: ${error.hint}` : '';
    return describeError(error) + hint;
  }
}

/** @throws TidemarkError `DISPATCHER_INVALID` when the index is not there, or a delete does not tell all its columns */
function checkIndex(rule: DispatcherRule, table: CatalogTable, database: string): void {
  const { name, uniqueIndexes, replicaIdentity, primaryKey } = table;
  const indexed = { database, name, uniqueIndexes };
  const columns = indexedColumns(rule, indexed) ?? [];
  if (replicaIdentity === 'f') return;
  const told =
    replicaIdentity === 'i' ? uniqueIndexes.find(({ isIdentity }) => isIdentity)?.columns : primaryKey;
  const missing = columns.find(column => told?.includes(column) !== true);
  if (missing !== undefined) throw untold(rule.partition, indexed, missing);
}
