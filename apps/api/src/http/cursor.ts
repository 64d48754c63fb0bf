import { ApiError } from './api-error.ts';

/** Where the next page of a list begins, as clients carry it: opaque, so that its content may change. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Reads a cursor back. `patterns` says what its parts must look like, since clients can send anything. */
export function decodeCursor(cursor: string, patterns: readonly RegExp[]): readonly string[] {
  const parts = parse(cursor);
  const fits =
    parts.length === patterns.length &&
    patterns.every((pattern, index) => typeof parts[index] === 'string' && pattern.test(parts[index]));
  if (fits) return parts as string[];
  throw new ApiError(400, 'CURSOR_INVALID', 'the cursor does not come from this list', {
    field: 'cursor',
    hint: 'Send nextCursor of the page before, or leave it out to start over.',
  });
}

function parse(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** A positive 64-bit number in decimal. */
export const idPattern = /^[1-9]\d{0,18}$/;
