import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import type { Change } from '@tidemark/contracts';
import { useEffect, useImperativeHandle, useRef } from 'react';
import { formatCount, plural } from '../../shared/format.ts';
import { Button } from '../../shared/ui/button.tsx';
import { narrowQuery, useMedia } from '../../shared/use-media.ts';
import type { ChangeListProps } from './change-list.tsx';
import { ChangeRow } from './change-row.tsx';
import { feedMax } from './feed.ts';
import { HeldPill } from './held-pill.tsx';
import type { ChangeFeed } from './use-change-feed.ts';
import { useReaderAttention } from './use-reader-attention.ts';

/** The list itself. Only the rows in sight are in the page, and the focused one, which must not lose its focus. */
export function ChangeRows(props: ChangeListProps) {
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
    rangeExtractor: range => withIndex(defaultRangeExtractor(range), indexOf(items, focused.current)),
  });
  useEffect(() => virtualizer.measure(), [narrow, virtualizer]);
  useReaderAttention(scroller, props.onReadingChange);
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
      <HeldPill count={feed.feed.heldCount} onShow={props.onShowNewest} />
      <div ref={scroller} className="change-scroll">
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
      const index = indexOf(items, id);
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
        const from = indexOf(items, selectedId ?? focused.current);
        const target = items[Math.max(0, Math.min(items.length - 1, from + step))];
        if (!target) return;
        if (selectedId === undefined) focusRow(target.id);
        else onOpen(target.id);
      },
    };
  }, [items, selectedId, onOpen, virtualizer, scroller, focused]);
}

function indexOf(items: readonly Change[], id: string | undefined): number {
  return id === undefined ? -1 : items.findIndex(change => change.id === id);
}

function withIndex(shown: readonly number[], index: number): number[] {
  return index < 0 || shown.includes(index) ? [...shown] : [...shown, index].toSorted((a, b) => a - b);
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
