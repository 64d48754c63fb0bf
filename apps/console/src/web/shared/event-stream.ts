import { backoffDelayMs } from '@tidemark/kernel/backoff';
import { ApiError } from './api-error.ts';
import { createStreamParser, type StreamEvent } from './event-stream-parser.ts';

/** `live`: connected. `waiting`: lost, will be tried again. `failed`: refused for good. */
export type StreamState = 'connecting' | 'live' | 'waiting' | 'failed';

export interface FollowOptions {
  /** Opens the stream after the event with this id; rejects with {@link ApiError} when the server refuses. */
  readonly open: (lastEventId: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  /** Events after this one are wanted. */
  readonly lastEventId: string;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onState: (state: StreamState, error?: unknown) => void;
  readonly signal: AbortSignal;
  readonly random: () => number;
}

/** Reconnecting starts at half a second and, jitter included, never waits longer than fifteen. */
const reconnect = { baseMs: 500, capMs: 10_000 };

/** The server sends a heartbeat every fifteen seconds; a connection that is silent for longer is dead. */
const silenceMaxMs = 45_000;

/**
 * Follows an event stream until the signal aborts. The browser's own EventSource gives up for good on an HTTP error
 * and hides its status, so a restart of the api would leave a feed that looks alive and says nothing.
 */
export async function followEvents(options: FollowOptions): Promise<void> {
  const { onState, signal } = options;
  let { lastEventId } = options;
  let attempt = 0;
  while (!signal.aborted) {
    onState('connecting');
    try {
      const stream = await options.open(lastEventId, signal);
      onState('live');
      const onProgress = (id: string) => {
        attempt = 0;
        if (id !== '') lastEventId = id;
      };
      await readEvents(stream, options.onEvent, onProgress);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.isRefusal) return onState('failed', error);
    }
    if (signal.aborted) return;
    onState('waiting');
    await sleep(backoffDelayMs(reconnect, attempt, options.random), signal);
    attempt += 1;
  }
}

async function readEvents(
  stream: ReadableStream<Uint8Array>,
  onEvent: (event: StreamEvent) => void,
  onProgress: (lastEventId: string) => void,
): Promise<void> {
  const parser = createStreamParser({ onEvent });
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (;;) {
    const watchdog = setTimeout(() => void reader.cancel(), silenceMaxMs);
    const { done, value } = await reader.read().finally(() => clearTimeout(watchdog));
    if (done) return;
    parser.push(decoder.decode(value, { stream: true }));
    onProgress(parser.lastEventId);
  }
}

/** Resolves after the delay, or at once when the signal aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
