import type { CatalogTable } from './catalog.ts';
import { type EligibilityOptions, whyIneligible } from './eligibility.ts';
import { messageDatabase } from './names.ts';
import type { TableFilter } from './table-filter.ts';

export interface Selection {
  /** Tables to publish. */
  readonly tables: readonly CatalogTable[];
  /** Why each of the other tables that the filter names cannot be captured. */
  readonly ineligible: readonly string[];
}

/** The tables that the filter names, apart from those whose rows cannot be captured. */
export function selectTables(
  tables: readonly CatalogTable[],
  database: string,
  filter: TableFilter,
  options: EligibilityOptions,
): Selection {
  const wanted = tables.filter(table => filter.matches(messageDatabase(database, table.schema), table.name));
  const reasons = wanted.map(table => whyIneligible(table, options));
  return {
    tables: wanted.filter((_, index) => reasons[index] === undefined),
    ineligible: reasons.filter(reason => reason !== undefined),
  };
}
