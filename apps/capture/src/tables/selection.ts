import { describeError, isTidemarkError } from '@tidemark/kernel';
import type { CatalogTable } from './catalog.ts';
import type { TreatColumns } from './column-treatment.ts';
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
    table => whyIneligible(table, options) ?? whyUntreatable(table, database, options.treat),
  );
  return {
    tables: wanted.filter((_, index) => reasons[index] === undefined),
    ineligible: reasons.filter(reason => reason !== undefined),
  };
}

/** Why the rules about columns do not fit a table; the key is that of the catalog. */
function whyUntreatable(
  { schema, name, primaryKey }: CatalogTable,
  database: string,
  treat: TreatColumns,
): string | undefined {
  const key = primaryKey ?? [];
  try {
    treat(messageDatabase(database, schema), name, key, new Set(key));
    return undefined;
  } catch (error) {
    const hint = isTidemarkError(error) && error.hint !== undefined ? `: ${error.hint}` : '';
    return describeError(error) + hint;
  }
}
