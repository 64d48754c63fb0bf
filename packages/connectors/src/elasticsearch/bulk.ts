import { DeliveryError } from '@tidemark/pipeline';
import { readSome, retryAfterMs } from '../http/classify-status.ts';

/** One document of a `_bulk` request. */
export interface BulkDocument {
  readonly id: string;
  /** A write with a version that is not above the stored one is refused (version_type=external). */
  readonly version: bigint;
  readonly source: object;
}

/** What became of one document. */
export type BulkOutcome = 'written' | 'stale';

interface BulkItem {
  readonly status: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}

/** Time that one request may take, milliseconds. */
const requestTimeoutMs = 30_000;
/** Bytes of an error that are read. */
const answerBytesMax = 16 * 1024;
const tooManyRequests = 429;
const conflict = 409;

/**
 * Sends documents with one `_bulk` request (Elasticsearch and OpenSearch REST, "Bulk API"). The id and the external
 * version make it harmless to send a document again: a version that is there already answers 409, which is success.
 *
 * @throws DeliveryError classified by the status of the request, or by the worst status of a document
 */
export async function bulk(
  baseUrl: string,
  index: string,
  documents: readonly BulkDocument[],
  signal: AbortSignal,
): Promise<BulkOutcome[]> {
  const response = await request(new URL('_bulk', baseUrl), lines(index, documents), signal);
  if (!response.ok) {
    const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
    throw failure(response.status, await readSome(response, answerBytesMax), undefined, waitMs);
  }
  const { items } = (await response.json()) as { items: { index?: BulkItem }[] };
  return items.map(({ index: item }) => outcomeOf(item));
}

async function request(url: URL, body: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'content-type': 'application/x-ndjson' };
  if (url.username !== '') {
    headers['authorization'] = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  try {
    return await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new DeliveryError('down', 'the search index does not answer', { cause: error });
  }
}

function lines(index: string, documents: readonly BulkDocument[]): string {
  return documents
    .map(({ id, version, source }) => {
      // A TSO exceeds what a JavaScript number holds, so the version is written digit by digit.
      const action = `{"index":{"_index":${JSON.stringify(index)},"_id":${JSON.stringify(id)}`;
      return `${action},"version":${version},"version_type":"external"}}\n${JSON.stringify(source)}\n`;
    })
    .join('');
}

function outcomeOf(item: BulkItem | undefined): BulkOutcome {
  if (item === undefined)
    throw new DeliveryError('transient', 'the answer of the search index misses a document');
  if (item.status < 300) return 'written';
  if (item.status === conflict) return 'stale';
  throw failure(item.status, `${item.error?.type ?? 'error'}: ${item.error?.reason ?? ''}`, item.error?.type);
}

/** 429 is back-pressure, other 4xx of a document are its own fault, and what concerns access or the server is the sink's. */
function failure(status: number, message: string, type?: string, waitMs = 0): DeliveryError {
  const errorClass = type ?? `HTTP ${status}`;
  const text = `the search index answered ${status}: ${message.slice(0, 500)}`;
  if (status === tooManyRequests)
    return new DeliveryError('down', text, { errorClass, retryAfterMs: waitMs });
  if (status === 413) return new DeliveryError('overloaded', text, { errorClass });
  if (status === 400 && type !== undefined) return new DeliveryError('permanent', text, { errorClass });
  return new DeliveryError('down', text, { errorClass, retryAfterMs: waitMs });
}
