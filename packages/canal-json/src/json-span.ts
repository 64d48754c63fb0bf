/** Where a value stands in a JSON text: character offsets, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const whitespace = /[\t\n\r ]*/y;
const scalar = /[-+.\w]*/y;

/**
 * Finds the value at a path of keys and indexes in a text that is known to be valid JSON. Where a key is repeated the
 * last one counts, as it does for `JSON.parse`. Made for the rare path: naming the position of a fault, and reading a
 * number that is too large for a JavaScript number.
 */
export function findSpan(text: string, path: readonly (string | number)[]): Span | undefined {
  let start = skip(whitespace, text, 0);
  for (const step of path) {
    const found = typeof step === 'number' ? elementAt(text, start, step) : memberOf(text, start, step);
    if (found === undefined) return undefined;
    start = found;
  }
  return { start, end: endOfValue(text, start) };
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}

/** Offset of the first thing after white space and one optional comma. */
function nextItem(text: string, from: number): number {
  const at = skip(whitespace, text, from);
  return text[at] === ',' ? skip(whitespace, text, at + 1) : at;
}

function memberOf(text: string, objectStart: number, key: string): number | undefined {
  if (text[objectStart] !== '{') return undefined;
  let found: number | undefined;
  let at = nextItem(text, objectStart + 1);
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const valueStart = skip(whitespace, text, skip(whitespace, text, keyEnd) + 1);
    if (JSON.parse(text.slice(at, keyEnd)) === key) found = valueStart;
    at = nextItem(text, endOfValue(text, valueStart));
  }
  return found;
}

function elementAt(text: string, arrayStart: number, index: number): number | undefined {
  if (text[arrayStart] !== '[') return undefined;
  let at = nextItem(text, arrayStart + 1);
  for (let passed = 0; text[at] !== ']'; passed += 1) {
    if (passed === index) return at;
    at = nextItem(text, endOfValue(text, at));
  }
  return undefined;
}

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first !== '{' && first !== '[') return skip(scalar, text, start);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at) - 1;
    } else if (char === '{' || char === '[') {
      depth += 1;
    } else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
