import type { Change } from '@tidemark/contracts';

/** The change as indented JSON, every value exactly as the store has it. */
export function changeAsJson(change: Change): string {
  return JSON.stringify(change, null, 2);
}

/** A command line that fetches the same; the token is the reader's own and stays out of the clipboard. */
export function curlFor(origin: string, path: string): string {
  return `curl -H "Authorization: Bearer $TIDEMARK_TOKEN" ${quoteForShell(`${origin}${path}`)}`;
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Order of change ids: whole numbers of any size, as text. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
