import { TidemarkError } from '@tidemark/kernel';
import { findSpan } from './json-span.ts';

/** A step to a value inside a message: a key or an index. */
export type Path = readonly (string | number)[];

/** `data[0].id` from its steps. */
function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** The message has no content at all. TiCDC 4.0.8 sent such ones (pingcap/tidb issue 21053). */
export function emptyMessage(): TidemarkError {
  return new TidemarkError('CANAL_JSON_EMPTY', 'the message is empty', {
    hint: 'Skip it: an empty message describes no change.',
  });
}

export function notUtf8(): TidemarkError {
  return new TidemarkError('CANAL_JSON_SYNTAX', 'the message is not valid UTF-8', {
    hint: 'Check that the topic carries Canal-JSON (protocol=canal-json).',
  });
}

/** The text is not JSON. `cause` is what `JSON.parse` threw; V8 names the character position in its message. */
export function notJson(text: string, cause: unknown): TidemarkError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const character = /at position (\d+)/.exec(reason)?.[1];
  const position = character === undefined ? text.length : Number(character);
  return new TidemarkError('CANAL_JSON_SYNTAX', `not JSON at byte ${bytesBefore(text, position)}`, {
    hint: 'Check that the topic carries Canal-JSON (protocol=canal-json), one message a record.',
    facts: { position: bytesBefore(text, position) },
  });
}

/** A field is missing or has the wrong form. The message never quotes the value: it may be somebody's data. */
export function badField(text: string, path: Path, expectation: string): TidemarkError {
  const field = pathText(path);
  const span = findSpan(text, path);
  if (span === undefined) {
    return new TidemarkError('CANAL_JSON_FIELD', `field ${field} is missing: ${expectation}`, {
      facts: { field },
    });
  }
  const position = bytesBefore(text, span.start);
  return new TidemarkError('CANAL_JSON_FIELD', `field ${field} at byte ${position}: ${expectation}`, {
    facts: { field, position },
  });
}

function bytesBefore(text: string, character: number): number {
  return Buffer.byteLength(text.slice(0, character));
}
