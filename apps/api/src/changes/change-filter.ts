import type { Change, ChangeFilter, Row } from '@tidemark/contracts';
import { ApiError } from '../http/api-error.ts';

/** A filter in the form in which it is applied, here or by the database. An absent part matches everything. */
export interface Filter {
  readonly database?: string;
  readonly table?: string;
  readonly types?: readonly string[];
  readonly key?: string;
  readonly from?: Date;
  readonly to?: Date;
  /** With ASCII letters in lower case; other letters count as they stand, in every database alike. */
  readonly text?: string;
}

/** Reads the query parameters of a request. `table` may be written `database.table`. */
export function toFilter(query: ChangeFilter): Filter {
  const [database, table] = splitTable(query);
  const types = (query.type ?? '')
    .split(',')
    .map(type => type.trim().toUpperCase())
    .filter(type => type !== '');
  const from = toDate({ from: query.from });
  const to = toDate({ to: query.to });
  return {
    ...(database ? { database } : {}),
    ...(table ? { table } : {}),
    ...(types.length > 0 ? { types } : {}),
    ...(query.key ? { key: query.key } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(query.q ? { text: lowerAscii(query.q) } : {}),
  };
}

function splitTable({ database, table }: ChangeFilter): [string | undefined, string | undefined] {
  const dot = table?.lastIndexOf('.') ?? -1;
  if (database || !table || dot < 1) return [database, table];
  return [table.slice(0, dot), table.slice(dot + 1)];
}

/** The value of the one given parameter as a time. */
function toDate(parameter: Readonly<Record<string, string | undefined>>): Date | undefined {
  const [[field, text] = ['', undefined]] = Object.entries(parameter);
  if (!text) return undefined;
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new ApiError(400, 'INVALID_INPUT', `${field} is not a time that exists`, { field });
}

/** Lower case of A–Z only, as PostgreSQL's collation "C" has it. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, letters => letters.toLowerCase());
}

/** Whether a change passes. Says the same as the condition that {@link Filter} becomes in SQL; a test compares them. */
export function matches(filter: Filter, change: Change): boolean {
  if (filter.database !== undefined && change.database !== filter.database) return false;
  if (filter.table !== undefined && change.table !== filter.table) return false;
  if (filter.types && !filter.types.includes(change.type)) return false;
  if (filter.key !== undefined && change.key !== filter.key) return false;
  const committedAt = Date.parse(change.committedAt);
  if (filter.from && committedAt < filter.from.getTime()) return false;
  if (filter.to && committedAt > filter.to.getTime()) return false;
  return filter.text === undefined || holdsText(change, filter.text);
}

/** Column values count, column names do not: otherwise `id` would find every row. */
function holdsText(change: Change, text: string): boolean {
  const holds = (value: string | null) => value !== null && lowerAscii(value).includes(text);
  const inRow = (row: Row | null) => row !== null && Object.values(row).some(holds);
  return holds(change.key) || holds(change.sql) || inRow(change.data) || inRow(change.old);
}
