import { describeError } from '@tidemark/kernel';

/** What asking somebody gave: the answer, or why there is none. A service that is down is a result, not an error. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** Turns a promise into its result. Never rejects. */
export async function answerOf<T>(promise: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await promise };
  } catch (error) {
    return { ok: false, reason: describeError(error) };
  }
}

/** How long another service may take, milliseconds: people wait for the page behind it. */
const timeoutMs = 1500;

/** Gets a text from another service; rejects when it is late or answers anything but success. */
export async function getText(baseUrl: string, path: string): Promise<string> {
  const url = `${baseUrl.replace(/\/$/, '')}${path}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} was answered with status ${response.status}`);
  return text;
}
