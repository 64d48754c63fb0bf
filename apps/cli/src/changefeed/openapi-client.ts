import { describeError, TidemarkError } from '@tidemark/kernel';
import { parseExact } from './exact-json.ts';

/** An item of the list of changefeeds, as far as it is shown. */
export interface ListedFeed {
  readonly id: string;
  readonly state: string;
  readonly checkpoint_time?: string;
  readonly error?: FeedError | null;
}

export interface FeedError {
  readonly code?: string;
  readonly message?: string;
}

/** A changefeed, as far as it is shown; what else a server answers is printed by `--json`. */
export interface FeedInfo extends ListedFeed {
  readonly sink_uri?: string;
  /** Of Tidemark only. */
  readonly source_uri?: string;
  readonly create_time?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface FeedStatus {
  readonly state: string;
  readonly checkpoint_ts?: number | bigint;
  readonly last_error?: FeedError | null;
  readonly last_warning?: FeedError | null;
}

/** What is asked for when a changefeed is created or changed. */
export interface FeedRequest {
  readonly changefeed_id?: string;
  readonly sink_uri?: string;
  readonly source_uri?: string;
  readonly replica_config?: unknown;
}

/** How long an answer may take: a creation waits for its slot, milliseconds. */
const answerMs = 60_000;

/** TiCDC's OpenAPI v2, in the calls and fields that its documentation names, so that it serves TiCDC as well. */
export class OpenApiClient {
  readonly #server: string;

  constructor(server: string) {
    this.#server = server.replace(/\/+$/, '');
  }

  list(
    state: string | undefined,
  ): Promise<{ readonly total: number; readonly items: readonly ListedFeed[] }> {
    return this.#call('GET', state === undefined ? '' : `?${new URLSearchParams({ state }).toString()}`);
  }

  get(id: string): Promise<FeedInfo> {
    return this.#call('GET', path(id));
  }

  create(request: FeedRequest): Promise<FeedInfo> {
    return this.#call('POST', '', request);
  }

  update(id: string, request: FeedRequest): Promise<FeedInfo> {
    return this.#call('PUT', path(id), request);
  }

  pause(id: string): Promise<unknown> {
    return this.#call('POST', `${path(id)}/pause`);
  }

  resume(id: string): Promise<unknown> {
    return this.#call('POST', `${path(id)}/resume`, {});
  }

  /** @param force of Tidemark only: also when the source does not answer */
  remove(id: string, force: boolean): Promise<unknown> {
    return this.#call('DELETE', `${path(id)}${force ? '?force=true' : ''}`);
  }

  status(id: string): Promise<FeedStatus> {
    return this.#call('GET', `${path(id)}/status`);
  }

  async #call<T>(method: string, suffix: string, body?: object): Promise<T> {
    const response = await this.#fetch(method, suffix, body);
    const text = await response.text();
    if (response.ok) return (text === '' ? {} : parseExact(text)) as T;
    throw refusal(response.status, text);
  }

  async #fetch(method: string, suffix: string, body: object | undefined): Promise<Response> {
    try {
      return await fetch(`${this.#server}/api/v2/changefeeds${suffix}`, {
        method,
        signal: AbortSignal.timeout(answerMs),
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new TidemarkError(
        'CAPTURE_UNREACHABLE',
        `${this.#server} does not answer: ${describeError(cause)}`,
        {
          hint: 'Start the stack with `tidemark up`, or name the server with --server URL.',
        },
      );
    }
  }
}

function path(id: string): string {
  return `/${encodeURIComponent(id)}`;
}

/** An answer of TiCDC: `{"error_msg":"[CDC:ErrX]what is wrong","error_code":"CDC:ErrX"}`. */
function refusal(status: number, text: string): TidemarkError {
  let message = text.slice(0, 300);
  let code: string | undefined;
  try {
    const body = JSON.parse(text) as { error_msg?: string; error_code?: string };
    message = (body.error_msg ?? message).replace(/^\[CDC:\w+\]\s*/, '');
    code = body.error_code;
  } catch {
    // Not in TiCDC's shape: a proxy, or another service. The text says what it is.
  }
  return new TidemarkError('CHANGEFEED_REFUSED', `${message} (${code ?? `HTTP ${status}`})`);
}
