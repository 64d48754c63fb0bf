import type { Change, ChangeFilter } from '@tidemark/contracts';
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
    const search = JSON.parse(searchKey) as ChangeSearch;
    void runFeed(search, { signal: abort.signal, dispatch, setStream, hold: holdNow });
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

interface Run {
  readonly signal: AbortSignal;
  readonly dispatch: (action: Action) => void;
  readonly setStream: (state: StreamState | 'off') => void;
  readonly hold: { readonly current: boolean };
}

/** Reads the newest page and then follows, until aborted. A change store that was made anew is read afresh. */
async function runFeed(search: ChangeSearch, run: Run): Promise<void> {
  const { signal, dispatch, setStream } = run;
  let startOver = true;
  while (startOver && !signal.aborted) {
    const filter = filterOf(search, Date.now());
    dispatch({ kind: 'restarted' });
    setStream('off');
    const page = await fetchChanges(filter, null, signal).catch((error: unknown) => {
      if (!signal.aborted) dispatch({ kind: 'failed', error });
    });
    if (!page || signal.aborted) return;
    dispatch({ kind: 'started', page });
    startOver = isLive(search) && (await follow(filter, newestId(startFeed(page)), run));
  }
}

/** Follows the changes after an id; resolves to true when the server says that its store was made anew. */
async function follow(filter: ChangeFilter, lastEventId: string, run: Run): Promise<boolean> {
  const reset = new AbortController();
  const signal = AbortSignal.any([run.signal, reset.signal]);
  const batch = batchedBy(redrawMs, (changes: readonly Change[]) => {
    if (!signal.aborted) run.dispatch({ kind: 'arrived', changes, hold: run.hold.current });
  });
  await followEvents({
    open: (after, streamSignal) => openChangeStream(filter, after, streamSignal),
    lastEventId,
    onEvent(event) {
      if (event.type === 'change') batch(JSON.parse(event.data) as Change);
      if (event.type === 'reset') reset.abort();
    },
    onState: state => {
      if (!signal.aborted) run.setStream(state);
    },
    signal,
    random: Math.random,
  });
  return reset.signal.aborted;
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
