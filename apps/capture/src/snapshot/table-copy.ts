/** Rows of a table between two keys, copied in the order of the key. */
export interface KeyRange {
  /** Key of the last row that was sent and acknowledged, as text, or of the row before the range; null for none. */
  readonly after: readonly string[] | null;
  /** Key of the last row of the range, as text; null where the table ends. */
  readonly until: readonly string[] | null;
  readonly isDone: boolean;
}

/** How far the copy of a table's existing rows has come; kept with the checkpoint. */
export interface TableCopy {
  readonly schema: string;
  readonly name: string;
  /** The parts that are copied side by side; null until the table was looked at. */
  readonly ranges: readonly KeyRange[] | null;
  /** Rows acknowledged. */
  readonly rows: number;
  readonly isDone: boolean;
  /** The key is a secret, so it is not kept with the checkpoint: after a restart the table begins anew. */
  readonly hasSecretKey?: boolean;
}

/** The copy as it may leave the process. */
export function withoutSecretKeys(copy: TableCopy): TableCopy {
  return copy.hasSecretKey === true ? { ...copy, ranges: null } : copy;
}

export function newCopy(schema: string, name: string): TableCopy {
  return { schema, name, ranges: null, rows: 0, isDone: false };
}

export function isCopyOf(copy: TableCopy, { schema, name }: Pick<TableCopy, 'schema' | 'name'>): boolean {
  return copy.schema === schema && copy.name === name;
}

/** The list with a table's copy replaced, or added at the end. */
export function withCopy(copies: readonly TableCopy[], copy: TableCopy): readonly TableCopy[] {
  const isSame = (other: TableCopy) => isCopyOf(other, copy);
  return copies.some(isSame) ? copies.map(other => (isSame(other) ? copy : other)) : [...copies, copy];
}

/** Progress within one range. */
export interface RangeProgress {
  readonly schema: string;
  readonly name: string;
  /** Place of the range in its table's list. */
  readonly range: number;
  readonly after: KeyRange['after'];
  readonly isDone: boolean;
  /** Rows that this step has added. */
  readonly rows: number;
}

/** The copy a step further. It is done when all of its ranges are. */
export function advanced(copy: TableCopy, { range, after, isDone, rows }: RangeProgress): TableCopy {
  const ranges = (copy.ranges ?? []).map((each, at) => (at === range ? { ...each, after, isDone } : each));
  return { ...copy, ranges, rows: copy.rows + rows, isDone: ranges.every(each => each.isDone) };
}
