import { TidemarkError } from '@tidemark/kernel';
import { type NamePattern, namePattern, splitAtLastDot } from './name-pattern.ts';

/**
 * Tables of Tidemark itself. Capturing where captured changes are kept would feed on itself, so wildcards pass over
 * them; only a rule that names one exactly selects it, and the table of changefeeds cannot be selected at all.
 */
const ownTables = new Set([
  'changefeeds',
  'change_events',
  'pipeline_positions',
  'processed_events',
  'dlq_actions',
  'dlq_events',
  'maintenance',
  'parked_keys',
  'schema_migrations',
]);
const neverCaptured = 'changefeeds';

/** Decides about tables by the database that messages name, which holds the schema unless that is `public`. */
export interface TableFilter {
  matches(database: string, table: string): boolean;
}

interface Rule {
  readonly database: NamePattern;
  readonly table: NamePattern;
  readonly excludes: boolean;
}

/**
 * The tables that a changefeed captures: the last rule that matches decides, a leading `!` excludes.
 * @param isOwn true for Tidemark's own database; elsewhere a table of the same name is nothing special
 * @throws TidemarkError `FILTER_RULE_INVALID` naming the rule
 */
export function tableFilter(rules: readonly string[], caseSensitive: boolean, isOwn = true): TableFilter {
  const lastMatch = ruleList(rules, caseSensitive);
  return {
    matches(database, table) {
      const last = lastMatch(database, table);
      if (last === undefined || last.excludes) return false;
      if (!isOwn) return true;
      if (table === neverCaptured) return false;
      return last.table.isExact || !ownTables.has(table);
    },
  };
}

/**
 * The tables that a further rule of the configuration applies to (`matcher`).
 * @throws TidemarkError `FILTER_RULE_INVALID` naming the rule
 */
export function tableMatcher(rules: readonly string[], caseSensitive: boolean): TableFilter {
  const lastMatch = ruleList(rules, caseSensitive);
  return { matches: (database, table) => lastMatch(database, table)?.excludes === false };
}

function ruleList(rules: readonly string[], caseSensitive: boolean) {
  const parsed = rules.map(rule => parseRule(rule, caseSensitive));
  return (database: string, table: string): Rule | undefined =>
    parsed.findLast(rule => rule.database.matches(database) && rule.table.matches(table));
}

function parseRule(rule: string, caseSensitive: boolean): Rule {
  const excludes = rule.startsWith('!');
  const parts = splitAtLastDot(excludes ? rule.slice(1) : rule);
  if (parts === undefined) throw invalidRule(rule, 'it must look like database.table');
  try {
    const [database, table] = parts;
    return {
      database: namePattern(database, caseSensitive),
      table: namePattern(table, caseSensitive),
      excludes,
    };
  } catch (error) {
    throw invalidRule(rule, error instanceof Error ? error.message : String(error));
  }
}

function invalidRule(rule: string, reason: string): TidemarkError {
  return new TidemarkError('FILTER_RULE_INVALID', `filter rule ${JSON.stringify(rule)}: ${reason}`, {
    hint: 'Write rules such as "sre_app.users", "sre_app.pgbench_*" or "!sre_app.sessions".',
    facts: { rule },
  });
}
