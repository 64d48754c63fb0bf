import type { Change } from '@tidemark/contracts';
import type { Clock } from '@tidemark/kernel';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import { changeCondition, hasIndex } from './change-condition.ts';
import type { Filter } from './change-filter.ts';
import { changeColumns, toChange } from './change-row.ts';
import { type IdRange, scanRanges } from './range-scan.ts';

/** Part of the changes that a filter wants. */
export interface ChangeSlice {
  readonly changes: readonly Change[];
  /** Id up to which the store was looked through, in the direction of the question. */
  readonly reached: bigint;
  /** False when nothing is left beyond `reached`. */
  readonly more: boolean;
}

export interface ChangeStore {
  /** Changes below `before`, newest first. */
  newest(filter: Filter, before: bigint | undefined, limit: number): Promise<ChangeSlice>;
  /** Changes above `after` and up to `upTo`, oldest first. */
  following(filter: Filter, after: bigint, upTo: bigint, limit: number): Promise<ChangeSlice>;
  find(id: bigint): Promise<Change | undefined>;
  /** The highest id; 0 when the store is empty. Rows with lower ids are visible or will never be. */
  newestId(): Promise<bigint>;
}

/** Bytes of rows, as stored, that one answer takes at most; the first row always fits. */
const sliceBytesMax = 8 * 1024 * 1024;

export function createChangeStore(queries: Kysely<Schema>, clock: Pick<Clock, 'monotonic'>): ChangeStore {
  /** The rows of a range in the direction, cut at the limit and at {@link sliceBytesMax}. */
  async function rowsIn(filter: Filter, { above, upTo }: IdRange, direction: 'asc' | 'desc', limit: number) {
    const wanted = queries
      .selectFrom('change_events')
      .where('id', '>', String(above))
      .where('id', '<=', String(upTo))
      .where(changeCondition(filter))
      .orderBy('id', direction)
      .limit(limit)
      .select(changeColumns);
    const size = sql`coalesce(pg_column_size(data), 0) + coalesce(pg_column_size(old), 0)`;
    const order = sql.raw(direction);
    const rows = await queries
      .selectFrom(wanted.as('wanted'))
      .select(changeColumns)
      .select(sql<string>`sum(${size}) OVER (ORDER BY id ${order}) - (${size})`.as('bytes_before'))
      .orderBy('id', direction)
      .execute();
    const kept = rows.filter(row => Number(row.bytes_before) < sliceBytesMax);
    return { changes: kept.map(toChange), cut: kept.length < rows.length || kept.length === limit };
  }

  async function newestId(): Promise<bigint> {
    const row = await queries
      .selectFrom('change_events')
      .select('id')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    return BigInt(row?.id ?? 0);
  }

  async function slice(
    filter: Filter,
    range: IdRange,
    direction: 'asc' | 'desc',
    limit: number,
  ): Promise<ChangeSlice> {
    const options = { range, direction, whole: hasIndex(filter), clock };
    const found: Change[] = [];
    const reached = await scanRanges(options, async part => {
      const { changes, cut } = await rowsIn(filter, part, direction, limit - found.length);
      found.push(...changes);
      return cut ? BigInt(changes.at(-1)?.id ?? part.above) : undefined;
    });
    const more = direction === 'asc' ? reached < range.upTo : reached > range.above + 1n;
    return { changes: found, reached, more };
  }

  return {
    newestId,
    async newest(filter, before, limit) {
      const upTo = before === undefined ? await newestId() : before - 1n;
      return slice(filter, { above: await oldestIdBelow(queries), upTo }, 'desc', limit);
    },
    following: (filter, after, upTo, limit) => slice(filter, { above: after, upTo }, 'asc', limit),
    async find(id) {
      const row = await queries
        .selectFrom('change_events')
        .where('id', '=', String(id))
        .select(changeColumns)
        .executeTakeFirst();
      return row && toChange(row);
    },
  };
}

/** One less than the lowest id, where looking backwards ends. */
async function oldestIdBelow(queries: Kysely<Schema>): Promise<bigint> {
  const row = await queries
    .selectFrom('change_events')
    .select('id')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return BigInt(row?.id ?? 1) - 1n;
}
