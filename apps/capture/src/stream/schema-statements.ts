import type { DdlType } from '@tidemark/canal-json';
import type { TreatColumns } from '../tables/column-treatment.ts';
import { messageDatabase } from '../tables/names.ts';
import type { TableFilter } from '../tables/table-filter.ts';

/** Prefix of the logical message by which a database tells its schema statements (`sql/log-ddl.sql`). */
export const ddlPrefix = 'tidemark ddl';

/** A schema statement as a message shows it. */
export interface SchemaStatement {
  readonly type: DdlType;
  readonly database: string;
  readonly table: string;
  readonly sql: string;
}

export interface SchemaStatementsOptions {
  readonly databaseName: string;
  readonly filter: TableFilter;
  readonly treat: TreatColumns;
}

/** What the logical message says: the command's tag, the table that it concerns, the text that the client sent. */
interface Logged {
  readonly tag: string;
  readonly schema: string;
  readonly table: string;
  readonly sql: string;
}

/**
 * Reads schema statements out of logical messages. Undefined for tables that are not captured, and for what anybody
 * else wrote under this prefix: the log takes messages from every role, and none of them may stop the stream.
 */
export function schemaStatements(
  options: SchemaStatementsOptions,
): (content: Buffer) => SchemaStatement | undefined {
  const { databaseName, filter, treat } = options;
  return content => {
    const logged = parse(content.toString('utf8'));
    if (logged === undefined) return undefined;
    const database = messageDatabase(databaseName, logged.schema);
    if (!filter.matches(database, logged.table)) return undefined;
    const isSecret = (names: readonly string[]) =>
      treat(database, logged.table, names, new Set()).some(treatment => treatment !== 'keep');
    return {
      type: ddlTypeOf(logged),
      database,
      table: logged.table,
      sql: withoutSecrets(logged, isSecret),
    };
  };
}

function parse(text: string): Logged | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const fields = Object(value) as Partial<Logged>;
  const names = ['tag', 'schema', 'table', 'sql'] as const;
  return names.every(name => typeof fields[name] === 'string') ? (fields as Logged) : undefined;
}

const byTag: Readonly<Record<string, DdlType>> = {
  'CREATE TABLE': 'CREATE',
  'CREATE TABLE AS': 'CREATE',
  'SELECT INTO': 'CREATE',
  'DROP TABLE': 'ERASE',
  'DROP SCHEMA': 'ERASE',
  'DROP OWNED': 'ERASE',
  'CREATE INDEX': 'CINDEX',
  'DROP INDEX': 'DINDEX',
  'ALTER TABLE': 'ALTER',
};

/** ALTER TABLE in the finer distinctions of TiCDC (pingcap/ticdc, `convertDdlEventType`). */
function ddlTypeOf({ tag, sql }: Logged): DdlType {
  if (tag !== 'ALTER TABLE') return byTag[tag] ?? 'QUERY';
  if (/\bRENAME\s+TO\b/i.test(sql)) return 'RENAME';
  if (/\bADD\s+(?:CONSTRAINT\s+\S+\s+)?(?:PRIMARY\s+KEY|FOREIGN\s+KEY|UNIQUE)\b/i.test(sql)) return 'CINDEX';
  return /\bDROP\s+CONSTRAINT\b/i.test(sql) ? 'DINDEX' : 'ALTER';
}

const comment = /--[^\n]*|\/\*[\s\S]*?\*\//g;
const quotedText = /\bE'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|(\$\w*\$)[\s\S]*?\1/gi;
const identifier = /"((?:[^"]|"")*)"|[a-z_][\w$]*/gi;

/**
 * The statement, with its values covered when they could be secret: a default of a secret column, or a value of another
 * statement that was sent along with it, or that led to it, such as the call of a function that alters a table.
 */
function withoutSecrets({ tag, sql }: Logged, isSecret: (names: readonly string[]) => boolean): string {
  // Quoted texts first: what looks like a comment can stand in one. Either order covers too much rather than too little.
  const covered = sql.replace(quotedText, `'***'`).replace(comment, '');
  const names = [...covered.matchAll(identifier)].map(
    ([plain, quoted]) => quoted?.replaceAll('""', '"') ?? plain,
  );
  const isItself = firstWord(covered) === firstWord(tag);
  const isAlone = !/;\s*\S/.test(covered);
  if (isItself && isAlone && !isSecret(names)) return sql;
  return covered.replace(nameOrNumber, (token, kept?: string) => (kept === undefined ? `'***'` : token));
}

function firstWord(text: string): string {
  return /^\s*(\w*)/.exec(text)?.[1]?.toUpperCase() ?? '';
}

/** What is kept, quoted names and types with their length, or a number. */
const nameOrNumber =
  /("(?:[^"]|"")*"|\b(?:char|character|varchar|varying|numeric|decimal|bit|varbit|time|timestamp|timestamptz|interval)\s*\([\d\s,]*\))|\b\d[\d.e]*\b/gi;
