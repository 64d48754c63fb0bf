import type { Change, Row } from '@tidemark/contracts';

/** What capture puts in place of a value that must not leave the database. */
export const maskText = '***';

/** What became of one column. `masked`: the values were hidden before they reached the log. */
export type FieldState = 'changed' | 'added' | 'removed' | 'same' | 'masked';

export interface FieldDiff {
  readonly name: string;
  /** Undefined when the row did not exist or did not have the column; null is SQL's NULL. */
  readonly before: string | null | undefined;
  readonly after: string | null | undefined;
  readonly state: FieldState;
}

/** Which of the three things happened to the row; anything else is a change of the table itself. */
export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'DDL';

export function operationOf(type: string): Operation {
  const upper = type.toUpperCase();
  return upper === 'INSERT' || upper === 'UPDATE' || upper === 'DELETE' ? upper : 'DDL';
}

/**
 * The columns of a change with their values before and after; those of the key come first. Canal-JSON puts a deleted
 * row into `data` and an update's former values into `old`, where columns that did not change may be left out.
 */
export function diffOf(change: Pick<Change, 'type' | 'old' | 'data' | 'key'>): readonly FieldDiff[] {
  const { before, after } = rowsOf(change);
  const names = [...new Set([...Object.keys(after ?? {}), ...Object.keys(before ?? {})])];
  const fields = names.map(name => fieldDiff(name, before?.[name], after?.[name]));
  const isKey = keyColumns(change.key, after ?? before);
  return [
    ...fields.filter(field => isKey.has(field.name)),
    ...fields.filter(field => !isKey.has(field.name)),
  ];
}

/** The store keeps the values of the key, not its columns; the first column with each value is taken for it. */
function keyColumns(key: string, row: Row | undefined): ReadonlySet<string> {
  const columns = Object.entries(row ?? {});
  const found = key.split(',').map(value => columns.find(([, held]) => value !== '' && held === value)?.[0]);
  return new Set(found.filter(name => name !== undefined));
}

function rowsOf(change: Pick<Change, 'type' | 'old' | 'data'>): {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
} {
  switch (operationOf(change.type)) {
    case 'INSERT':
      return { before: undefined, after: change.data ?? undefined };
    case 'DELETE':
      return { before: change.data ?? change.old ?? undefined, after: undefined };
    case 'UPDATE':
      return {
        before: change.old ? { ...change.data, ...change.old } : undefined,
        after: change.data ?? undefined,
      };
    case 'DDL':
      return { before: undefined, after: undefined };
  }
}

function fieldDiff(
  name: string,
  before: string | null | undefined,
  after: string | null | undefined,
): FieldDiff {
  return { name, before, after, state: stateOf(before, after) };
}

function stateOf(before: string | null | undefined, after: string | null | undefined): FieldState {
  if (before === maskText || after === maskText) return 'masked';
  if (before === undefined) return 'added';
  if (after === undefined) return 'removed';
  return before === after ? 'same' : 'changed';
}

/** Columns that change with every write and so say nothing about this one. */
const bookkeeping = /(?:^|_)(?:updated|modified)(?:_|$)|^mtime$/i;

/**
 * The columns worth a line in a list: those that changed, or for a whole row the first that hold something. What was
 * masked is left out, and bookkeeping comes last.
 */
export function headlineFields(diff: readonly FieldDiff[], max: number): readonly FieldDiff[] {
  const changed = diff.filter(field => field.state === 'changed');
  const telling =
    changed.length > 0 ? changed : diff.filter(field => field.state !== 'masked' && holdsValue(field));
  return [
    ...telling.filter(field => !bookkeeping.test(field.name)),
    ...telling.filter(field => bookkeeping.test(field.name)),
  ].slice(0, max);
}

function holdsValue({ before, after }: FieldDiff): boolean {
  return Boolean(after ?? before);
}

/** True for text that reads as a number, which is set in figures and to the right. */
export function looksNumeric(value: string | null | undefined): boolean {
  return typeof value === 'string' && /^-?\d{1,40}(\.\d+)?$/.test(value);
}
