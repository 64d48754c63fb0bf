import { useVirtualizer } from '@tanstack/react-virtual';
import type { Change } from '@tidemark/contracts';
import { ArrowUp, Radio, Search, SearchX } from 'lucide-react';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { formatCount, plural } from '../../shared/format.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Failure } from '../../shared/ui/failure.tsx';
import { Notice } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { narrowQuery, useMedia } from '../../shared/use-media.ts';
import { ChangeRow } from './change-row.tsx';
import { type ChangeSearch, isFiltered } from './change-search.ts';
import { feedMax } from './feed.ts';
import type { ChangeFeed } from './use-change-feed.ts';

/** What the page asks of the list. */
export interface ChangeListHandle {
  /** Moves to the next (1) or former (-1) row. */
  move(step: 1 | -1): void;
  toTop(): void;
  focusRow(id: string): void;
}

interface ChangeListProps {
  readonly ref: Ref<ChangeListHandle>;
  readonly feed: ChangeFeed;
  readonly search: ChangeSearch;
  readonly selectedId: string | undefined;
  readonly onOpen: (id: string) => void;
  /** The reader has scrolled away from the newest change, or is back. */
  readonly onAwayChange: (away: boolean) => void;
  readonly onShowNewest: () => void;
  readonly onReset: () => void;
}

export function ChangeList(props: ChangeListProps) {
  const { feed } = props;
  if (feed.status === 'loading') {
    return (
      <div className="panel">
        <Skeleton rows={12} />
      </div>
    );
  }
  if (feed.status === 'failed') {
    return (
      <div className="panel">
        <Failure what="The changes could not be loaded" error={feed.error} onRetry={feed.restart} />
      </div>
    );
  }
  if (feed.feed.items.length === 0) {
    return (
      <div className="panel">
        <NothingToShow {...props} />
        <HeldPill {...props} />
      </div>
    );
  }
  return <Rows {...props} />;
}

function NothingToShow({ feed, search, onReset }: ChangeListProps) {
  if (feed.olderError !== undefined) {
    return <Failure what="The search broke off" error={feed.olderError} onRetry={feed.loadOlder} />;
  }
  if (feed.feed.nextCursor !== null) return <StillSearching feed={feed} />;
  return isFiltered(search) ? <NothingFound onReset={onReset} /> : <NothingYet />;
}

/** A rare match can lie far back: the api looks for a while, says how far it came, and is asked to go on. */
function StillSearching({ feed }: { readonly feed: ChangeFeed }) {
  const { loadOlder, loadingOlder } = feed;
  useEffect(() => {
    if (!loadingOlder) loadOlder();
  }, [loadingOlder, loadOlder]);
  return (
    <Notice icon={<Search size={22} />} title="Searching further back…">
      <p>Nothing among the newest changes. Older ones are being looked through.</p>
    </Notice>
  );
}

function NothingYet() {
  return (
    <Notice icon={<Radio size={22} />} title="Waiting for the first change">
      <p>Change any row of a captured table and it appears here. For example:</p>
      <code>psql postgres://tidemark:tidemark@127.0.0.1:5433/sre_app -c "UPDATE users SET token = 'x'"</code>
    </Notice>
  );
}

function NothingFound({ onReset }: { readonly onReset: () => void }) {
  return (
    <Notice
      icon={<SearchX size={22} />}
      title="No change matches"
      actions={<Button onClick={onReset}>Clear all filters</Button>}
    >
      <p>Nothing in the change store fits these filters. New changes that do will appear here.</p>
    </Notice>
  );
}

function Rows(props: ChangeListProps) {
  const { feed, selectedId } = props;
  const { items } = feed.feed;
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMedia(narrowQuery);
  const focused = useRef<string | undefined>(undefined);
  // The virtualizer hands out functions that read its present state; nothing here is compiled or memoised on them.
  // oxlint-disable-next-line react/incompatible-library
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? 70 : 40),
    getItemKey: index => items[index]?.id ?? index,
    overscan: 12,
  });
  useEffect(() => virtualizer.measure(), [narrow, virtualizer]);
  useListHandle(props, virtualizer, scroller, focused);

  const reachedEnd = (virtualizer.getVirtualItems().at(-1)?.index ?? 0) >= items.length - 5;
  const { nextCursor } = feed.feed;
  const { loadOlder, loadingOlder, olderError } = feed;
  useEffect(() => {
    if (reachedEnd && nextCursor !== null && !loadingOlder && olderError === undefined) loadOlder();
  }, [reachedEnd, nextCursor, loadingOlder, olderError, loadOlder]);

  return (
    <div className="panel change-list">
      <div className="change-head" aria-hidden="true">
        <span>Committed</span>
        <span>Operation</span>
        <span>Table</span>
        <span>Key</span>
        <span>What changed</span>
        <span className="num">Visible after</span>
      </div>
      <HeldPill {...props} />
      <div
        ref={scroller}
        className="change-scroll"
        onScroll={event => props.onAwayChange(event.currentTarget.scrollTop > 60)}
      >
        <ul
          className="change-rows"
          aria-label="Changes, newest first"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map(row => {
            const change = items[row.index] as Change;
            return (
              <li
                key={row.key}
                aria-setsize={items.length}
                aria-posinset={row.index + 1}
                style={{ transform: `translateY(${row.start}px)`, height: row.size }}
              >
                <ChangeRow
                  change={change}
                  selected={change.id === selectedId}
                  onFocus={() => {
                    focused.current = change.id;
                  }}
                />
              </li>
            );
          })}
        </ul>
        <ListEnd feed={feed} />
      </div>
      <p className="change-count muted">
        {plural(items.length, 'change')} shown{nextCursor === null ? '' : ', older ones follow as you scroll'}
      </p>
    </div>
  );
}

function useListHandle(
  { ref, feed, selectedId, onOpen }: ChangeListProps,
  virtualizer: ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>,
  scroller: { readonly current: HTMLDivElement | null },
  focused: { current: string | undefined },
): void {
  const { items } = feed.feed;
  useImperativeHandle(ref, () => {
    const focusRow = (id: string) => {
      const index = items.findIndex(change => change.id === id);
      if (index < 0) return;
      virtualizer.scrollToIndex(index);
      requestAnimationFrame(() => {
        scroller.current?.querySelector<HTMLElement>(`[data-change="${CSS.escape(id)}"]`)?.focus();
      });
    };
    return {
      focusRow,
      toTop: () => scroller.current?.scrollTo({ top: 0 }),
      move(step) {
        const from = items.findIndex(change => change.id === (selectedId ?? focused.current));
        const target = items[Math.max(0, Math.min(items.length - 1, from + step))];
        if (!target) return;
        if (selectedId === undefined) focusRow(target.id);
        else onOpen(target.id);
      },
    };
  }, [items, selectedId, onOpen, virtualizer, scroller, focused]);
}

/** Says that newer changes wait. Announced politely and seldom: the text changes, rows are never announced. */
function HeldPill({ feed, onShowNewest }: ChangeListProps) {
  const { heldCount } = feed.feed;
  if (heldCount === 0) return null;
  return (
    <button type="button" className="held-pill" onClick={onShowNewest}>
      <ArrowUp size={14} aria-hidden="true" />
      {formatCount(heldCount)} new
    </button>
  );
}

function ListEnd({ feed }: { readonly feed: ChangeFeed }) {
  if (feed.olderError !== undefined) {
    return (
      <div className="list-end">
        <span>Older changes could not be loaded.</span>
        <Button size="sm" onClick={feed.loadOlder}>
          Try again
        </Button>
      </div>
    );
  }
  if (feed.loadingOlder) return <div className="list-end muted">Loading older changes…</div>;
  if (feed.feed.cut) {
    return (
      <div className="list-end">
        <span>
          The list keeps the newest {formatCount(feedMax)} changes. Search, or start over, to read further
          back.
        </span>
        <Button size="sm" onClick={feed.restart}>
          Start over
        </Button>
      </div>
    );
  }
  return feed.feed.nextCursor === null ? <div className="list-end muted">This is the oldest one.</div> : null;
}
