import type { ChangeFilter } from '@tidemark/contracts';

/** The state of the page as its address has it. Every value is text; an absent one is not filtered by. */
export interface ChangeSearch {
  readonly database?: string;
  readonly table?: string;
  /** INSERT, UPDATE, DELETE, joined by commas. */
  readonly type?: string;
  readonly key?: string;
  readonly q?: string;
  /** A stretch of time that ends now: `5m`, `15m`, `1h`, `24h`. Excludes `from` and `to`. */
  readonly last?: string;
  readonly from?: string;
  readonly to?: string;
}

/** The stretches of time on offer, and their lengths in milliseconds. */
export const ranges = { '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const;
export type Range = keyof typeof ranges;

export const operations = ['INSERT', 'UPDATE', 'DELETE'] as const;

/** What an address may hold before it was looked at. */
export type RawSearch = Readonly<Partial<Record<keyof ChangeSearch, unknown>>>;

/** Reads an address. What makes no sense is dropped rather than complained about: people edit addresses. */
export function parseChangeSearch(raw: RawSearch): ChangeSearch {
  const search = withoutUndefined({
    database: textOf(raw.database),
    table: textOf(raw.table),
    type: textOf(raw.type),
    key: textOf(raw.key),
    q: textOf(raw.q)?.slice(0, 200),
  });
  const last = textOf(raw.last);
  if (last !== undefined && last in ranges) return { ...search, last };
  return { ...search, ...withoutUndefined({ from: instantOf(raw.from), to: instantOf(raw.to) }) };
}

function instantOf(value: unknown): string | undefined {
  const text = textOf(value);
  if (text === undefined || Number.isNaN(Date.parse(text))) return undefined;
  return new Date(text).toISOString();
}

function withoutUndefined(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** The filter that the api understands. `last` becomes a fixed start, as of `nowMs`. */
export function filterOf(search: ChangeSearch, nowMs: number): ChangeFilter {
  const { last, ...rest } = search;
  if (last === undefined) return rest;
  return { ...rest, from: new Date(nowMs - ranges[last as Range]).toISOString() };
}

/** True when new changes can match: the stretch of time is open towards the future. */
export function isLive(search: ChangeSearch): boolean {
  return search.to === undefined;
}

export function isFiltered(search: ChangeSearch): boolean {
  return Object.keys(search).length > 0;
}

/** Adds the operation to the filter or takes it away; all of them is the same as none. */
export function toggleOperation(type: string | undefined, operation: string): string | undefined {
  const chosen = new Set(type === undefined ? [] : type.split(','));
  if (!chosen.delete(operation)) chosen.add(operation);
  const inOrder = operations.filter(each => chosen.has(each));
  return inOrder.length === 0 || inOrder.length === operations.length ? undefined : inOrder.join(',');
}
