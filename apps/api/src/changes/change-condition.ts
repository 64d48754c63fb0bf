import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { Filter } from './change-filter.ts';

/** Characters of a key that its index holds: whole keys could exceed what an index entry may hold. */
const keyPrefix = 200;

/** What a filter is in SQL. Times are compared in milliseconds, which is what clients see and send. */
export function changeCondition(filter: Filter) {
  return (eb: ExpressionBuilder<Schema, 'change_events'>): Expression<SqlBool> => {
    const all: Expression<SqlBool>[] = [];
    if (filter.database !== undefined) all.push(eb('database', '=', filter.database));
    if (filter.table !== undefined) all.push(eb('table_name', '=', filter.table));
    if (filter.types) all.push(eb('type', 'in', [...filter.types]));
    if (filter.key !== undefined) {
      all.push(sql<SqlBool>`left(key, ${sql.lit(keyPrefix)}) = left(${filter.key}, ${sql.lit(keyPrefix)})`);
      all.push(eb('key', '=', filter.key));
    }
    if (filter.from) all.push(eb('committed_at', '>=', filter.from));
    if (filter.to)
      all.push(sql<SqlBool>`committed_at < ${filter.to}::timestamptz + interval '1 millisecond'`);
    if (filter.text !== undefined) all.push(holdsText(filter.text));
    return eb.and(all);
  };
}

/**
 * The text of the whole row is looked at first, because that is several times cheaper than taking the row apart; in
 * JSON some characters are escaped, so that it is skipped for texts that have them.
 */
function holdsText(text: string): RawBuilder<SqlBool> {
  const inRow = (column: 'data' | 'old') => {
    const values = sql.ref(column);
    const cheap =
      JSON.stringify(text) !== `"${text}"`
        ? sql`true`
        : sql`strpos(lower(${values}::text COLLATE "C"), ${text}) > 0`;
    const exact = sql`EXISTS (
      SELECT FROM jsonb_each_text(${values}) AS cell WHERE strpos(lower(cell.value COLLATE "C"), ${text}) > 0)`;
    return sql`(${cheap} AND ${exact})`;
  };
  return sql<SqlBool>`(
    strpos(lower(key COLLATE "C"), ${text}) > 0
    OR strpos(lower(coalesce(sql, '') COLLATE "C"), ${text}) > 0
    OR ${inRow('data')} OR ${inRow('old')})`;
}

/** True when an index leads to the rows of the filter in the order of their ids, or no row is left out. */
export function hasIndex(filter: Filter): boolean {
  const { database, types, from, to, text } = filter;
  return [database, types, from, to, text].every(part => part === undefined);
}
