import { TidemarkError } from '@tidemark/kernel';
import { namePattern } from './name-pattern.ts';
import { tableMatcher } from './table-filter.ts';

/** What happens to the values of a column before they reach the log. */
export type Treatment = 'keep' | 'remove' | 'mask' | 'hash';

/** Columns of the matched tables to be sent; the others are absent (TiDB documentation, "Column selectors"). */
export interface ColumnSelector {
  readonly matcher: readonly string[];
  readonly columns: readonly string[];
}

/** Columns of the matched tables that are secret, and how they are kept so. */
export interface MaskRule {
  readonly matcher: readonly string[];
  readonly columns: readonly string[];
  readonly mode: 'remove' | 'mask' | 'hash';
}

export interface TreatmentRules {
  readonly columnSelectors: readonly ColumnSelector[];
  readonly mask: readonly MaskRule[];
  readonly caseSensitive: boolean;
}

/** Decides about the columns of a table. */
export type TreatColumns = (
  database: string,
  table: string,
  columns: readonly string[],
  keys: ReadonlySet<string>,
) => readonly Treatment[];

/**
 * Reads the rules. The first rule whose matcher names the table and whose columns name the column decides. A key column
 * that is to be masked is hashed instead: a mask would make all rows look like one.
 * @throws TidemarkError `FILTER_RULE_INVALID` for a rule that cannot be understood; when a table is looked at,
 *   `COLUMN_SELECTOR_INVALID` for a selector or a mask that takes a key column away, because no row could be told from
 *   another without it
 */
export function columnTreatment(rules: TreatmentRules): TreatColumns {
  const { caseSensitive } = rules;
  const selectors = rules.columnSelectors.map(({ matcher, columns }) => ({
    tables: tableMatcher(matcher, caseSensitive),
    names: nameList(columns, caseSensitive),
  }));
  // Names of secrets are recognised however they are written.
  const masks = rules.mask.map(({ matcher, columns, mode }) => ({
    tables: tableMatcher(matcher, caseSensitive),
    names: nameList(columns, false),
    mode,
  }));
  return (database, table, columns, keys) => {
    const selector = selectors.find(({ tables }) => tables.matches(database, table));
    return columns.map(column => {
      const isKey = keys.has(column);
      if (selector?.names(column) === false) {
        if (isKey) throw keyTakenAway(database, table, column, 'a column selector leaves out');
        return 'remove';
      }
      const mask = masks.find(({ tables, names }) => tables.matches(database, table) && names(column));
      if (mask === undefined) return 'keep';
      if (isKey && mask.mode === 'remove') throw keyTakenAway(database, table, column, 'a mask removes');
      return isKey ? 'hash' : mask.mode;
    });
  };
}

/** A list of name patterns of which the last match decides; a leading `!` excludes. */
function nameList(patterns: readonly string[], caseSensitive: boolean): (name: string) => boolean {
  const parsed = patterns.map(text => {
    const excludes = text.startsWith('!');
    return { excludes, pattern: namePattern(excludes ? text.slice(1) : text, caseSensitive) };
  });
  return name => parsed.findLast(({ pattern }) => pattern.matches(name))?.excludes === false;
}

function keyTakenAway(database: string, table: string, column: string, what: string): TidemarkError {
  return new TidemarkError(
    'COLUMN_SELECTOR_INVALID',
    `${what} ${database}.${table}.${column}, which identifies the row`,
    { hint: 'Select the key columns as well; to keep one secret, give it the mode "hash".' },
  );
}
