import { TidemarkError } from '@tidemark/kernel';

/** One setting: how its text becomes a value, and what the documentation says about it. */
export interface Setting<T> {
  /** Turns the text of the environment into a value; throws an Error whose message completes "NAME …". */
  readonly parse: (text: string) => T;
  /** Present when the setting may be left out. */
  readonly fallback?: { readonly value: T };
  /** Meaning, unit and special values, for the generated documentation. */
  readonly doc: string;
  /** How the type is called in the documentation. */
  readonly type: string;
  /** Secrets are never printed. */
  readonly secret: boolean;
}

interface Describe<T> {
  readonly doc: string;
  /** Leave it out and the setting is required. */
  readonly default?: T;
  readonly secret?: boolean;
}

function setting<T>(type: string, describe: Describe<T>, parse: (text: string) => T): Setting<T> {
  return {
    parse,
    type,
    doc: describe.doc,
    secret: describe.secret ?? false,
    ...('default' in describe ? { fallback: { value: describe.default } } : {}),
  };
}

/** A text as it stands. */
export function text(describe: Describe<string>): Setting<string> {
  return setting('text', describe, value => value);
}

/** A text that may be absent. */
export function optionalText(describe: Omit<Describe<string>, 'default'>): Setting<string | undefined> {
  return setting<string | undefined>('text', { ...describe, default: undefined }, value => value);
}

/** A whole number within bounds. */
export function integer(
  describe: Describe<number> & { readonly min?: number; readonly max?: number },
): Setting<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = describe;
  return setting('integer', describe, value => {
    // Number() alone would take 0x10 and 1e3, which in a setting are typing errors.
    const parsed = /^[+-]?\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(parsed)) throw new Error('must be a whole number');
    if (parsed < min || parsed > max) throw new Error(`must lie between ${min} and ${max}`);
    return parsed;
  });
}

/** A number within bounds, fractions allowed. */
export function number(
  describe: Describe<number> & { readonly min?: number; readonly max?: number },
): Setting<number> {
  const { min = -Infinity, max = Infinity } = describe;
  return setting('number', describe, value => {
    const parsed = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value.trim())
      ? Number(value)
      : Number.NaN;
    if (!Number.isFinite(parsed)) throw new Error('must be a number');
    if (parsed < min || parsed > max) throw new Error(`must lie between ${min} and ${max}`);
    return parsed;
  });
}

/** `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`. */
export function flag(describe: Describe<boolean>): Setting<boolean> {
  return setting('flag', describe, value => {
    if (/^(true|1|yes|on)$/i.test(value.trim())) return true;
    if (/^(false|0|no|off)$/i.test(value.trim())) return false;
    throw new Error('must be true or false');
  });
}

/** A comma-separated list; empty parts are ignored. */
export function list(describe: Describe<readonly string[]>): Setting<readonly string[]> {
  return setting('comma-separated list', describe, value => {
    const parts = value
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '');
    if (parts.length === 0) throw new Error('must name at least one value');
    return parts;
  });
}

/** One of a fixed set of words. */
export function choice<const T extends string>(
  options: readonly T[],
  describe: Describe<NoInfer<T>>,
): Setting<T> {
  return setting(options.map(option => `\`${option}\``).join(' or '), describe, value => {
    const found = options.find(option => option === value);
    if (found === undefined) throw new Error(`must be one of ${options.join(', ')}`);
    return found;
  });
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration such as `500ms`, `30s`, `5m`, `1h`; in milliseconds once parsed. */
export function durationMs(describe: Describe<number> & { readonly min?: number }): Setting<number> {
  return setting('duration (`500ms`, `30s`, `5m`, `1h`)', describe, value => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value.trim());
    if (!match) throw new Error('must be a duration such as 500ms, 30s, 5m or 1h');
    const ms = Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
    if (ms > Number.MAX_SAFE_INTEGER) throw new Error('must be a duration that fits into a lifetime');
    if (ms < (describe.min ?? 0)) throw new Error(`must not be shorter than ${(describe.min ?? 0) / 1000}s`);
    return ms;
  });
}

/** Host and port to listen on: `127.0.0.1:8001`, `:2112` (every interface, as Go writes it), or a bare port (loopback). */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function listenAddress(describe: Describe<ListenAddress>): Setting<ListenAddress> {
  return setting('host:port', describe, value => {
    const match = /^(?:(?<host>[^\s/]*):)?(?<port>\d{1,5})$/.exec(value.trim());
    const port = Number(match?.groups?.['port']);
    if (!match || port > 65_535) throw new Error('must look like 127.0.0.1:8001 or :8001');
    const host = match.groups?.['host'];
    if (host === undefined) return { host: '127.0.0.1', port };
    return { host: host === '' || host === '*' ? '0.0.0.0' : host.replace(/^\[(.*)\]$/, '$1'), port };
  });
}

/** A URL with one of the given schemes, kept as text. */
export function url(schemes: readonly string[], describe: Describe<string>): Setting<string> {
  return setting(`URL (${schemes.map(scheme => `\`${scheme}://\``).join(', ')})`, describe, value => {
    const scheme = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : undefined;
    if (scheme === undefined || !schemes.includes(scheme)) {
      throw new Error(`must be a URL that starts with ${schemes.map(name => `${name}://`).join(' or ')}`);
    }
    return value;
  });
}

/** A URL that may be absent. */
export function optionalUrl(
  schemes: readonly string[],
  describe: Omit<Describe<string>, 'default'>,
): Setting<string | undefined> {
  const required = url(schemes, describe);
  return { ...required, fallback: { value: undefined } };
}

/** The names of settings and what each of them is. */
export type ConfigSpec = Readonly<Record<string, Setting<unknown>>>;

/** The typed configuration that a spec describes. */
export type Config<S extends ConfigSpec> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Declares a configuration; only here to infer its type. */
export function defineConfig<const S extends ConfigSpec>(spec: S): S {
  return spec;
}

/** Puts several specs together; the later one wins where both declare a name. */
export function mergeConfig<A extends ConfigSpec, B extends ConfigSpec>(a: A, b: B): Omit<A, keyof B> & B {
  return { ...a, ...b };
}

/**
 * Reads the environment. Every fault is reported at once, by name, so that one run is enough to mend them all.
 * An empty value counts as absent, because shells and Compose files cannot tell the two apart.
 */
export function loadConfig<S extends ConfigSpec>(
  spec: S,
  env: Readonly<Record<string, string | undefined>>,
): Config<S> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, setting] of Object.entries(spec)) {
    const raw = env[name];
    if (raw === undefined || raw === '') {
      if (setting.fallback) values[name] = setting.fallback.value;
      else faults.push(`${name} is not set (${setting.doc})`);
      continue;
    }
    try {
      values[name] = setting.parse(raw);
    } catch (error) {
      const shown = setting.secret || mayHoldPassword(raw) ? 'the given value' : JSON.stringify(raw);
      faults.push(`${name} ${error instanceof Error ? error.message : String(error)}, not ${shown}`);
    }
  }
  if (faults.length > 0) {
    throw new TidemarkError('CONFIG_INVALID', faults.join('; '), {
      hint: 'Correct the environment variables named above and start again.',
    });
  }
  return values as Config<S>;
}

/** A URL with a user in it, whatever setting it was put into by mistake. */
function mayHoldPassword(raw: string): boolean {
  return /:\/\/[^/\s]*@/.test(raw);
}

/** The documentation of a spec as a Markdown table. */
export function describeConfig(spec: ConfigSpec): string {
  const rows = Object.entries(spec).map(([name, setting]) => {
    const cells = [`\`${name}\``, setting.type, showFallback(setting), setting.doc];
    return `| ${cells.map(cell => cell.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| variable | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function showFallback({ fallback, secret }: Setting<unknown>): string {
  if (fallback === undefined) return '**required**';
  return secret && fallback.value !== undefined ? 'not shown' : showDefault(fallback.value);
}

function showDefault(value: unknown): string {
  if (value === undefined) return '–';
  if (Array.isArray(value)) return `\`${value.join(',')}\``;
  if (typeof value === 'object' && value !== null && 'host' in value && 'port' in value) {
    const host = String(value.host);
    return `\`${host.includes(':') ? `[${host}]` : host}:${String(value.port)}\``;
  }
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
