import { DeliveryError, type FailureKind } from '@tidemark/pipeline';

/** Longest time that a `Retry-After` is believed, milliseconds. */
const retryAfterMaxMs = 300_000;

/** What the peer says about when to come again (RFC 9110 §10.2.3): seconds, or a date. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const waitMs = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(waitMs) && waitMs > 0 ? Math.min(waitMs, retryAfterMaxMs) : undefined;
}

/**
 * Statuses that say something about our address, our secret or the peer's load, not about the event: every event would
 * meet them, and a dead letter for each would be an outage in the dead letters.
 */
const aboutThePeer = new Set([401, 402, 403, 404, 405, 407, 408, 410, 421, 423, 425, 429, 451]);

/** What an HTTP status other than 2xx means for the delivery of one event. */
export function kindOfStatus(status: number): FailureKind {
  if (status === 500) return 'transient'; // may be a defect that this event meets: a probe tells
  if (status >= 400 && status < 500 && !aboutThePeer.has(status)) return 'permanent';
  return 'down'; // redirects too: what is signed for one address is not sent to another
}

export function failureOfStatus(status: number, what: string, waitMs?: number): DeliveryError {
  return new DeliveryError(kindOfStatus(status), what, {
    errorClass: `HTTP ${status}`,
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  });
}

/** Reads a response up to a bound, as text; what comes after is not awaited. */
export async function readSome(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break; // which cancels the rest
  }
  return Buffer.concat(chunks).subarray(0, bytesMax).toString();
}
