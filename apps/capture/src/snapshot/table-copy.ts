/** How far the copy of a table's existing rows has come; kept with the checkpoint. */
export interface TableCopy {
  readonly schema: string;
  readonly name: string;
  /** Key of the last row that was sent and acknowledged, as text; null before the first one. */
  readonly after: readonly string[] | null;
  /** Rows acknowledged. */
  readonly rows: number;
  readonly isDone: boolean;
}

export function newCopy(schema: string, name: string): TableCopy {
  return { schema, name, after: null, rows: 0, isDone: false };
}

/** The list with a table's copy replaced, or added at the end. */
export function withCopy(copies: readonly TableCopy[], copy: TableCopy): readonly TableCopy[] {
  const isSame = (other: TableCopy) => other.schema === copy.schema && other.name === copy.name;
  return copies.some(isSame) ? copies.map(other => (isSame(other) ? copy : other)) : [...copies, copy];
}
