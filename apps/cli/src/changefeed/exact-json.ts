/** Node's way to write a number digit by digit (TC39, "JSON.parse source text access"). */
const exact = JSON as unknown as { rawJSON(text: string): unknown };

/** The source text of a value, which Node hands to the reviver. */
interface SourceContext {
  readonly source?: string;
}

/** Reads JSON whose whole numbers, such as TSOs, may be too large for a JavaScript number: those become bigints. */
export function parseExact(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: SourceContext) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

/** Writes what {@link parseExact} has read. */
export function printExact(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (_key, each: unknown) => (typeof each === 'bigint' ? exact.rawJSON(each.toString()) : each),
    indent,
  );
}
