/** Rows of text under each other; a column is as wide as its widest cell, and numbers stand to the right. */
export function inColumns(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows.map(row =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.has(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A value as JSON; offsets are texts, because they exceed what JSON's numbers hold everywhere. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field),
    indent,
  );
}

/** What ends a line or moves the cursor has no place in a cell. */
export function cell(text: string, max: number): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this takes out
  const plain = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return plain.length > max ? `${plain.slice(0, max - 1)}…` : plain;
}
