import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import type { CommandInput } from '../command.ts';

/** What an edit puts in place of the payload. */
export async function editedPayload(
  input: CommandInput,
  current: string | null,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const ways = ['set', 'payload', 'file'].filter(option => input.text(option) !== undefined);
  if (ways.length !== 1) throw input.refuse('edit needs one of --set, --payload and --file');
  const [set, payload, file] = [input.text('set'), input.text('payload'), input.text('file')];
  if (payload !== undefined) return Buffer.from(payload);
  if (file !== undefined) return file === '-' ? Buffer.from(await text(stdin)) : readPayload(file);
  return Buffer.from(withField(input, current, set ?? ''));
}

async function readPayload(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new TidemarkError(
      'FILE_UNREADABLE',
      `${file} cannot be read (${errorCode(error) ?? String(error)})`,
      {
        cause: error,
      },
    );
  }
}

/** The payload with one field changed; fields on the way to it that are not there are made. */
function withField(input: CommandInput, current: string | null, set: string): string {
  const [, path = '', json = ''] = /^([^=]+)=([\s\S]*)$/.exec(set) ?? [];
  if (path === '') throw input.refuse(`--set takes FIELD=JSON, as in payload.rating=5, not "${set}"`);
  const root = parse(current ?? '');
  if (!isObject(root)) {
    throw new TidemarkError(
      'PAYLOAD_NOT_JSON',
      'the payload is not a JSON object, so it has no fields to set',
      {
        hint: 'Give the whole payload with --payload or --file.',
      },
    );
  }
  const names = path.split('.');
  const last = names.pop() ?? '';
  let at = root;
  for (const name of names) {
    const next = Object.hasOwn(at, name) ? at[name] : undefined;
    at = isObject(next) ? next : assign(at, name, {});
  }
  const value = parse(json);
  // A bare word is what people mean when they forget the quotes.
  assign(at, last, value === undefined ? json : value);
  return JSON.stringify(root);
}

/** Also `__proto__` is only a name. */
function assign<T>(target: Record<string, unknown>, name: string, value: T): T {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  return value;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
