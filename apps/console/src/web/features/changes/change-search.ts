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

const names = ['database', 'table', 'type', 'key', 'q'] as const;

/** Reads an address. What makes no sense is dropped rather than complained about: people edit addresses. */
export function parseChangeSearch(raw: Readonly<Record<string, unknown>>): ChangeSearch {
  const search: Record<string, string> = {};
  for (const name of names) {
    const value = textOf(raw[name]);
    if (value !== undefined) search[name] = name === 'q' ? value.slice(0, 200) : value;
  }
  const last = textOf(raw['last']);
  if (last !== undefined && last in ranges) return { ...search, last };
  for (const name of ['from', 'to'] as const) {
    const value = textOf(raw[name]);
    if (value !== undefined && !Number.isNaN(Date.parse(value))) search[name] = new Date(value).toISOString();
  }
  return search;
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
