import type { Api } from './api.ts';

/**
 * Turns the parameters of path and query that their schema calls integers from text into numbers, before they are
 * validated. Bodies are left as they are: JSON has types, and `"4"` is not a rating.
 */
export function readNumbersFromText(api: Api): void {
  api.addHook('preValidation', async request => {
    const { schema } = request.routeOptions;
    convert(request.query, integersOf(schema?.querystring));
    convert(request.params, integersOf(schema?.params));
  });
}

function integersOf(schema: unknown): readonly string[] {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, { type?: unknown }> };
  return Object.keys(properties).filter(name => properties[name]?.type === 'integer');
}

function convert(values: unknown, names: readonly string[]): void {
  const record = values as Record<string, unknown>;
  for (const name of names) {
    const text = record[name];
    if (typeof text === 'string' && /^-?\d{1,15}$/.test(text)) record[name] = Number(text);
  }
}
