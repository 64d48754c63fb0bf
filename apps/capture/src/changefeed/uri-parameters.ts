const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The query of a URI, read by type. */
export class UriParameters {
  readonly #values: URLSearchParams;
  readonly #invalid: (reason: string) => Error;

  /** @param invalid makes the error for a value that cannot be read */
  constructor(query: string, invalid: (reason: string) => Error) {
    this.#values = new URLSearchParams(query);
    this.#invalid = invalid;
  }

  get names(): Iterable<string> {
    return this.#values.keys();
  }

  text(name: string): string | undefined {
    return this.#values.get(name) ?? undefined;
  }

  /** A whole number above zero. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < 1) throw this.#invalid(`${name} must be a positive number`);
    return value;
  }

  /** True or false in any of the ways that Go reads them (package strconv, ParseBool). */
  flag(name: string, fallback: boolean): boolean {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
    if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false;
    throw this.#invalid(`${name} must be true or false`);
  }

  /** One of the options, which are written in lower case; how it is written does not matter, as in TiCDC. */
  choice<T extends string>(name: string, options: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const found = options.find(option => option === text.toLowerCase());
    if (found === undefined) throw this.#invalid(`${name} must be one of ${options.join(', ')}`);
    return found;
  }

  /** A duration as Go writes simple ones: `10s`, `500ms`, `1m`. */
  durationMs(name: string, fallback: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const match = /^(\d{1,6})(ms|s|m|h)$/.exec(text);
    const ms = Number(match?.[1]) * (unitMs[match?.[2] ?? ''] ?? Number.NaN);
    if (!(ms > 0)) throw this.#invalid(`${name} must be a duration such as 10s`);
    return ms;
  }
}
