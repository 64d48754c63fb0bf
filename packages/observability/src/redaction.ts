/** What stands in a log line where a secret was. */
export const censored = '[redacted]';

/** Names of fields whose values never reach a log line, wherever a careless caller puts them. */
const secretName =
  /pass(?:word|wd|phrase)|^pwd$|secret|token|authorization|cookie|credential|api_?-?key|private_?-?key/i;

/** The password in a URL, as in postgres://user:password@host. */
const urlPassword = /(?<=:\/\/[^/\s:@]*:)[^/\s@]+(?=@)/g;

/** Deeper than this a log line shows nothing; it also ends circles. */
const depthMax = 8;

/** A copy of the fields of a log line without secrets. Values that hold none are handed on as they are. */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretName.test(name) && holdsSecret(value) ? censored : redactValue(value, depth + 1),
    ]),
  );
}

/** Whether a secret is there is no secret. */
function holdsSecret(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'boolean' && value !== '';
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string')
    return value.includes('://') ? value.replaceAll(urlPassword, censored) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > depthMax) return '[deeper]';
  if (Array.isArray(value)) return value.map(item => redactValue(item, depth + 1));
  // Errors, dates, buffers and the like have a form of their own in JSON; pino's serialisers see to errors.
  return isPlain(value) ? redactObject(value, depth) : value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
