/** A pattern over one name: wildcards, a quoted name, or a regular expression (TiDB documentation, "Table Filter"). */
export interface NamePattern {
  matches(name: string): boolean;
  /** Names one thing without a pattern. */
  readonly isExact: boolean;
}

/** `*` any text, `?` a character, `[a-z]` `[!a-z]` one of several, backticks or double quotes, `/…/`. */
export function namePattern(text: string, caseSensitive: boolean): NamePattern {
  const pattern = toRegExp(text, caseSensitive);
  return {
    matches: name => pattern.test(name),
    isExact: !/[*?[\]\\/]/.test(text) || /^[`"]/.test(text),
  };
}

/** Splits at the last dot that stands outside quotes, character classes and regular expressions. */
export function splitAtLastDot(text: string): readonly [string, string] | undefined {
  const token = /`(?:[^`]|``)*`|"(?:[^"]|"")*"|\/(?:[^/\\]|\\.)*\/|\[[^\]]*\]|\\.|./gs;
  let split = -1;
  for (const match of text.matchAll(token)) if (match[0] === '.') split = match.index;
  return split <= 0 || split === text.length - 1 ? undefined : [text.slice(0, split), text.slice(split + 1)];
}

function toRegExp(text: string, caseSensitive: boolean): RegExp {
  const flags = caseSensitive ? 'u' : 'iu';
  const regular = /^\/(.*)\/$/s.exec(text);
  if (regular) return new RegExp(regular[1] ?? '', flags);
  const quoted = /^([`"])(.*)\1$/s.exec(text);
  if (quoted) {
    const [, quote = '', name = ''] = quoted;
    return new RegExp(`^${literal(name.replaceAll(quote + quote, quote))}$`, flags);
  }
  return new RegExp(`^${globToPattern(text)}$`, `${flags}s`);
}

function globToPattern(glob: string): string {
  return glob.replace(/\[(!?)([^\]]+)\]|\\?./gsu, (token, negation: string | undefined, members?: string) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    if (members !== undefined) {
      return `[${negation === '!' ? '^' : ''}${members.replaceAll('\\', '\\\\')}]`;
    }
    return literal(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token);
  });
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
