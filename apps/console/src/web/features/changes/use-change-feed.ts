import type { Change } from '@tidemark/contracts';
import { useCallback, useEffect, useReducer, useRef, useState } from 'react';
import { followEvents, type StreamState } from '../../shared/event-stream.ts';
import { fetchChanges, openChangeStream } from './change-api.ts';
import { type ChangeSearch, filterOf, isLive } from './change-search.ts';
import { appendOlder, arrive, emptyFeed, type Feed, newestId, release, startFeed } from './feed.ts';

/** The list is redrawn at most this often, however fast changes come. */
const redrawMs = 250;

export interface ChangeFeed {
  readonly feed: Feed;
  readonly status: 'loading' | 'ready' | 'failed';
  readonly error: unknown;
  readonly stream: StreamState | 'off';
  readonly loadingOlder: boolean;
  readonly olderError: unknown;
  readonly loadOlder: () => void;
  /** Shows what was held back. */
  readonly release: () => void;
  /** Starts over from the newest change. */
  readonly restart: () => void;
}

type Action =
  | { readonly kind: 'restarted' }
  | { readonly kind: 'started'; readonly page: Parameters<typeof startFeed>[0] }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'arrived'; readonly changes: readonly Change[]; readonly hold: boolean }
  | { readonly kind: 'released' }
  | { readonly kind: 'loadingOlder' }
  | { readonly kind: 'older'; readonly page: Parameters<typeof startFeed>[0] }
  | { readonly kind: 'olderFailed'; readonly error: unknown };

interface State {
  readonly feed: Feed;
  readonly status: ChangeFeed['status'];
  readonly error: unknown;
  readonly loadingOlder: boolean;
  readonly olderError: unknown;
}

const initial: State = {
  feed: emptyFeed,
  status: 'loading',
  error: undefined,
  loadingOlder: false,
  olderError: undefined,
};

function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case 'restarted':
      return initial;
    case 'started':
      return { ...initial, feed: startFeed(action.page), status: 'ready' };
    case 'failed':
      return { ...state, status: 'failed', error: action.error };
    case 'arrived':
      return { ...state, feed: arrive(state.feed, action.changes, action.hold) };
    case 'released':
      return { ...state, feed: release(state.feed) };
    case 'loadingOlder':
      return { ...state, loadingOlder: true, olderError: undefined };
    case 'older':
      return { ...state, loadingOlder: false, feed: appendOlder(state.feed, action.page) };
    case 'olderFailed':
      return { ...state, loadingOlder: false, olderError: action.error };
  }
}

/**
 * The changes that match the address: the newest page, older ones on request, and new ones as they happen.
 * @param hold keeps arriving changes back, so that the list stands still under the reader's eyes
 */
export function useChangeFeed(search: ChangeSearch, hold: boolean): ChangeFeed {
  const [state, dispatch] = useReducer(reduce, initial);
  const [stream, setStream] = useState<StreamState | 'off'>('off');
  const running = useRef<AbortController>(undefined);
  const holdNow = useRef(hold);
  useEffect(() => {
    holdNow.current = hold;
  }, [hold]);
  const searchKey = JSON.stringify(search);

  const restart = useCallback(() => {
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    void runFeed(JSON.parse(searchKey) as ChangeSearch, abort.signal, dispatch, setStream, holdNow);
  }, [searchKey]);
  useEffect(() => {
    restart();
    return () => running.current?.abort();
  }, [restart]);

  const { nextCursor } = state.feed;
  const loadOlder = useCallback(() => {
    if (nextCursor === null) return;
    dispatch({ kind: 'loadingOlder' });
    fetchChanges(filterOf(JSON.parse(searchKey) as ChangeSearch, Date.now()), nextCursor).then(
      page => dispatch({ kind: 'older', page }),
      (error: unknown) => dispatch({ kind: 'olderFailed', error }),
    );
  }, [nextCursor, searchKey]);

  return {
    ...state,
    stream,
    loadOlder,
    release: useCallback(() => dispatch({ kind: 'released' }), []),
    restart,
  };
}

async function runFeed(
  search: ChangeSearch,
  signal: AbortSignal,
  dispatch: (action: Action) => void,
  setStream: (state: StreamState | 'off') => void,
  hold: { readonly current: boolean },
): Promise<void> {
  const filter = filterOf(search, Date.now());
  dispatch({ kind: 'restarted' });
  setStream('off');
  let first: Parameters<typeof startFeed>[0];
  try {
    first = await fetchChanges(filter, null, signal);
  } catch (error) {
    if (!signal.aborted) dispatch({ kind: 'failed', error });
    return;
  }
  if (signal.aborted) return;
  dispatch({ kind: 'started', page: first });
  if (!isLive(search)) return;
  const batch = batchedBy(redrawMs, (changes: readonly Change[]) => {
    if (!signal.aborted) dispatch({ kind: 'arrived', changes, hold: hold.current });
  });
  await followEvents({
    open: (lastEventId, streamSignal) => openChangeStream(filter, lastEventId, streamSignal),
    lastEventId: newestId(startFeed(first)),
    onEvent: event => {
      if (event.type === 'change' || event.type === 'message') batch(JSON.parse(event.data) as Change);
    },
    onState: setStream,
    signal,
    random: Math.random,
  });
}

/** Collects items and hands them over together, at most once per interval. */
function batchedBy<T>(intervalMs: number, flush: (items: readonly T[]) => void): (item: T) => void {
  let waiting: T[] = [];
  return item => {
    waiting.push(item);
    if (waiting.length > 1) return;
    setTimeout(() => {
      const items = waiting;
      waiting = [];
      flush(items);
    }, intervalMs);
  };
}
