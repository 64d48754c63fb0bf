import type { ErrorBody } from '@tidemark/contracts';
import { ApiError } from './api-error.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

let csrfToken: string | null = null;
let onSessionEnded: () => void = () => {};

/** Sent with every request that changes something; it comes with the session. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Registers what happens when the api no longer knows the session. */
export function setSessionEndedHandler(handler: () => void): void {
  onSessionEnded = handler;
}

/** `path?a=1&b=2` without the parts that are undefined or empty. */
export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return given.length === 0 ? path : `${path}?${search.toString()}`;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Asking who is signed in, and signing in, may answer 401 without a session having ended. */
  readonly anonymous?: boolean;
}

/** Asks the api and returns the answer's JSON; rejects with {@link ApiError}. */
export async function callApi<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await openApi(path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Asks the api and returns the answer with its body unread. */
export async function openApi(path: string, options: RequestOptions = {}): Promise<Response> {
  const response = await fetch(path, requestInit(options)).catch((cause: unknown) => {
    if (options.signal?.aborted) throw cause;
    throw new ApiError({
      status: 0,
      code: 'CONSOLE_UNREACHABLE',
      message: 'The console’s own server does not answer.',
      hint: 'See whether the stack is running: ./run.sh status',
    });
  });
  if (response.ok) return response;
  const error = await readError(response);
  if (error.status === 401 && !options.anonymous) onSessionEnded();
  throw error;
}

function requestInit(options: RequestOptions): RequestInit {
  const method = options.method ?? 'GET';
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrfToken !== null) headers['x-csrf-token'] = csrfToken;
  return {
    method,
    headers,
    credentials: 'same-origin',
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal ? { signal: options.signal } : {}),
  };
}

async function readError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => undefined)) as Partial<ErrorBody> | undefined;
  const retryAfter = Number(response.headers.get('retry-after'));
  return new ApiError({
    status: response.status,
    code: body?.error?.code ?? 'UNEXPECTED_ANSWER',
    message: body?.error?.message ?? `The api answered with status ${response.status}.`,
    hint: body?.error?.hint,
    field: body?.error?.field,
    retryAfterSec: retryAfter > 0 ? retryAfter : undefined,
  });
}
