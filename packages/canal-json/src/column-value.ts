/**
 * What the text of a value means, as far as the name of its type tells. TiCDC writes an ENUM as the number of its
 * label, a SET as a mask of the numbers of its labels, a BIT as an unsigned number, and bytes as ISO-8859-1.
 */

/**
 * True for types whose values are bytes. PingCAP's decoder looks for `blob` and `binary` anywhere in the name, which
 * `enum('blob')` of the content-compatible form would deceive; here they must be the type itself.
 */
export function isBinaryType(mysqlType: string): boolean {
  return /^(?:(?:tiny|medium|long)?blob|(?:var)?binary)\b/i.test(mysqlType);
}

/** The label of an ENUM; undefined when the type does not list its labels, and for 0, which is MySQL's error value. */
export function enumLabel(mysqlType: string, value: string): string | undefined {
  return labelsOf('enum', mysqlType)?.[Number(value) - 1];
}

/** The labels of a SET, in the order of the type; undefined when the type does not list them. */
export function setLabels(mysqlType: string, value: string): readonly string[] | undefined {
  const mask = BigInt(value);
  return labelsOf('set', mysqlType)?.filter((_, at) => ((mask >> BigInt(at)) & 1n) === 1n);
}

/** The bits of a BIT, the highest first; as many as the type says, at least as many as the value has. */
export function bitText(mysqlType: string, value: string): string {
  const width = Number(/^bit\((\d+)\)/i.exec(mysqlType)?.[1] ?? 1);
  return BigInt(value).toString(2).padStart(width, '0');
}

const escapes: Readonly<Record<string, string>> = {
  "''": "'",
  '\\0': '\u0000',
  '\\n': '\n',
  '\\r': '\r',
};

/** `enum('a','b')` has the labels a and b; a quotation mark in one is doubled (pingcap/tidb, parser/format). */
function labelsOf(kind: 'enum' | 'set', mysqlType: string): readonly string[] | undefined {
  const list = new RegExp(`^${kind}\\((.*)\\)`, 'is').exec(mysqlType)?.[1];
  if (list === undefined) return undefined;
  return [...list.matchAll(/'((?:[^']|'')*)'/g)].map(([, label = '']) =>
    label.replace(/''|\\[0nr]/g, escaped => escapes[escaped] ?? escaped),
  );
}
