import { TidemarkError } from '@tidemark/kernel';

/**
 * Tables of Tidemark itself. Capturing where captured changes are kept would feed on itself, so wildcards pass over
 * them; only a rule that names one exactly selects it, and the table of changefeeds cannot be selected at all.
 */
const ownTables = new Set([
  'changefeeds',
  'change_events',
  'pipeline_positions',
  'processed_events',
  'dlq_events',
  'schema_migrations',
]);
const neverCaptured = 'changefeeds';

/** Decides which tables a changefeed captures. */
export interface TableFilter {
  /** @param database the name of the database in messages, which holds the schema unless that is `public` */
  matches(database: string, table: string): boolean;
}

interface Rule {
  readonly database: RegExp;
  readonly table: RegExp;
  readonly excludes: boolean;
  /** Names a table without a pattern. */
  readonly isExact: boolean;
}

/**
 * Filter rules as TiCDC has them (TiDB documentation, "Table Filter"): `database.table`, where `*` stands for any text,
 * `?` for a character, `[a-z]` for one of several, a name in backticks or double quotes for itself, `/…/` for a regular
 * expression and a leading `!` for exclusion. The last rule that matches decides.
 * @throws TidemarkError `FILTER_RULE_INVALID` naming the rule
 */
export function tableFilter(rules: readonly string[], caseSensitive: boolean): TableFilter {
  const parsed = rules.map(rule => parseRule(rule, caseSensitive));
  return {
    matches(database, table) {
      const last = parsed.findLast(rule => rule.database.test(database) && rule.table.test(table));
      if (last === undefined || last.excludes || table === neverCaptured) return false;
      return last.isExact || !ownTables.has(table);
    },
  };
}

function parseRule(rule: string, caseSensitive: boolean): Rule {
  const excludes = rule.startsWith('!');
  const parts = splitAtLastDot(excludes ? rule.slice(1) : rule);
  if (parts === undefined) throw invalidRule(rule, 'it must look like database.table');
  try {
    const [database, table] = parts;
    return {
      database: toPattern(database, caseSensitive),
      table: toPattern(table, caseSensitive),
      excludes,
      isExact: isPlainName(table),
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

/** Splits at the last dot that stands outside quotes, character classes and regular expressions. */
function splitAtLastDot(rule: string): readonly [string, string] | undefined {
  const token = /`(?:[^`]|``)*`|"(?:[^"]|"")*"|\/(?:[^/\\]|\\.)*\/|\[[^\]]*\]|\\.|./gs;
  let split = -1;
  for (const match of rule.matchAll(token)) if (match[0] === '.') split = match.index;
  return split <= 0 || split === rule.length - 1 ? undefined : [rule.slice(0, split), rule.slice(split + 1)];
}

function isPlainName(pattern: string): boolean {
  return !/[*?[\]\\/]/.test(pattern) || /^[`"]/.test(pattern);
}

function toPattern(pattern: string, caseSensitive: boolean): RegExp {
  const flags = caseSensitive ? 'u' : 'iu';
  const regular = /^\/(.*)\/$/s.exec(pattern);
  if (regular) return new RegExp(regular[1] ?? '', flags);
  const quoted = /^([`"])(.*)\1$/s.exec(pattern);
  if (quoted) {
    const [, quote = '', name = ''] = quoted;
    return new RegExp(`^${literal(name.replaceAll(quote + quote, quote))}$`, flags);
  }
  return new RegExp(`^${globToPattern(pattern)}$`, `${flags}s`);
}

function globToPattern(glob: string): string {
  return glob.replace(/\[(!?)([^\]]+)\]|\\?./gsu, (token, negation: string | undefined, members?: string) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    if (members !== undefined) return `[${negation === '!' ? '^' : ''}${members.replaceAll('\\', '\\\\')}]`;
    return literal(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token);
  });
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
