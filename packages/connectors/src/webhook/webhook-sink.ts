import { type Clock, TidemarkError } from '@tidemark/kernel';
import {
  type DeliverableItem,
  DeliveryError,
  deliverableItems,
  everythingNew,
  partitionKey,
  type Sink,
} from '@tidemark/pipeline';
import { failureOfStatus, readSome, retryAfterMs } from '../http/classify-status.ts';
import { signedHeaders } from './signature.ts';

export interface WebhookOptions<E> {
  readonly url: string;
  /** Key of the signature; see `signedHeaders`. */
  readonly secret: string;
  /** Identity of an event: a repeat carries the same one, by which the receiver can tell. */
  readonly idOf: (item: DeliverableItem<E>) => string;
  readonly clock: Clock;
  /** Time that one request may take, milliseconds; 10 s unless given. */
  readonly timeoutMs?: number;
  /** Requests at the same time for one batch, of different keys; 8 unless given. */
  readonly concurrency?: number;
}

/** Bytes of an answer that are read; what a receiver says beyond that is of no interest. */
const answerBytesMax = 16 * 1024;

/**
 * Posts each event's bytes as they stand, signed, to one address. Events of a key go one after the other; at least once,
 * so a receiver that must not act twice goes by `webhook-id`. Redirects are not followed.
 */
export function webhookSink<E>(options: WebhookOptions<E>): Sink<E> {
  const poster = new Poster(options.url, options.secret, options.timeoutMs ?? 10_000, options.clock);
  /** Offsets of the batch in progress that were acknowledged, so that a batch that is cut or repeated skips them. */
  const acknowledged = new Map<string, Set<bigint>>();
  return {
    open: async position => position.nextOffset,
    async deliver(batch, signal) {
      const key = partitionKey(batch.partition);
      const done = acknowledged.get(key) ?? new Set<bigint>();
      acknowledged.set(key, done);
      const chains = Map.groupBy(deliverableItems(batch), item => chainOf(item));
      await inParallel([...chains.values()], options.concurrency ?? 8, async items => {
        for (const item of items) {
          const { offset, value } = item.record;
          if (done.has(offset)) continue;
          await poster.post(options.idOf(item), value ?? Buffer.alloc(0), signal);
          done.add(offset);
        }
      });
      for (const { record } of batch.items) done.delete(record.offset);
      return everythingNew;
    },
    close: async partition => {
      acknowledged.delete(partitionKey(partition));
    },
  };
}

/**
 * Asks the receiver whether it is well, with a signed request without content and the id `ping`. Any answer but
 * that of a server in trouble will do: a receiver need not know of pings.
 */
export function webhookProbe(options: Pick<WebhookOptions<never>, 'url' | 'secret' | 'clock' | 'timeoutMs'>) {
  const poster = new Poster(options.url, options.secret, options.timeoutMs ?? 10_000, options.clock);
  return async (signal: AbortSignal): Promise<void> => {
    await poster.post('ping', Buffer.alloc(0), signal).catch((error: unknown) => {
      if (!(error instanceof DeliveryError) || error.kind !== 'permanent') throw error;
    });
  };
}

class Poster {
  readonly #url: URL;
  readonly #secret: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #authorization: Record<string, string> = {};

  constructor(url: string, secret: string, timeoutMs: number, clock: Clock) {
    if (secret === '') {
      throw new TidemarkError('WEBHOOK_UNSIGNED', 'a webhook needs a secret', {
        hint: 'Set WEBHOOK_SECRET to what the receiver verifies signatures with.',
      });
    }
    this.#url = new URL(url);
    this.#secret = secret;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    if (this.#url.username === '') return;
    const credentials = `${decodeURIComponent(this.#url.username)}:${decodeURIComponent(this.#url.password)}`;
    this.#authorization = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    this.#url.username = '';
    this.#url.password = '';
  }

  async post(id: string, body: Buffer, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const response = await this.#send(id, body, signal);
    if (response.ok) return;
    const { status, answer } = response;
    const waitMs = retryAfterMs(response.retryAfter, this.#clock.now());
    throw failureOfStatus(status, `the webhook answered ${status}: ${answer.slice(0, 500)}`, waitMs);
  }

  async #send(id: string, body: Buffer, signal: AbortSignal) {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...this.#authorization,
          ...signedHeaders(this.#secret, id, body, this.#clock.now()),
        },
        body: new Uint8Array(body),
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]),
      });
      const answer = await readSome(response, answerBytesMax);
      const { ok, status, headers } = response;
      return { ok, status, answer, retryAfter: headers.get('retry-after') };
    } catch (error) {
      signal.throwIfAborted();
      throw new DeliveryError('down', 'the webhook does not answer', { cause: error });
    }
  }
}

/** What is posted one after the other; an event without a key follows nobody. */
function chainOf<E>({ record }: DeliverableItem<E>): string | bigint {
  return record.key?.toString('latin1') ?? record.offset;
}

/** Runs the work on all of them, some at a time, and when one fails lets the running ones end before it throws. */
async function inParallel<T>(
  things: readonly T[],
  concurrency: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const rest = things.values();
  let failed: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (const thing of rest) {
      if (failed) return;
      try {
        await work(thing);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, things.length) }, worker));
  if (failed) throw failed.error;
}
