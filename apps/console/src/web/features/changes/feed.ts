import type { Change } from '@tidemark/contracts';
import { compareIds } from '../../shared/changes/change-text.ts';

/** Changes in the list at most; a page that stays open under load must not grow. */
export const feedMax = 5000;

/** The list of changes, newest first, and what arrived while it was held still. */
export interface Feed {
  readonly items: readonly Change[];
  /** Newest first. Only the newest are kept; `heldCount` counts all. */
  readonly held: readonly Change[];
  readonly heldCount: number;
  /** Where older changes go on; null when there are none or the tail was cut. */
  readonly nextCursor: string | null;
  /** Older changes were dropped to stay within {@link feedMax}. */
  readonly cut: boolean;
}

export const emptyFeed: Feed = { items: [], held: [], heldCount: 0, nextCursor: null, cut: false };

interface Page {
  readonly items: readonly Change[];
  readonly nextCursor: string | null;
}

/** A fresh list from its first page. */
export function startFeed(page: Page): Feed {
  return { ...emptyFeed, items: page.items, nextCursor: page.nextCursor };
}

/** Older changes at the end. Reading far back is a wish, so it may exceed the limit that live changes keep to. */
export function appendOlder(feed: Feed, page: Page): Feed {
  const oldest = feed.items.at(-1)?.id;
  const older = page.items.filter(change => oldest === undefined || compareIds(change.id, oldest) < 0);
  return { ...feed, items: [...feed.items, ...older], nextCursor: page.nextCursor };
}

/** Changes that just happened, oldest first as the stream sends them. Repeats after a reconnect are dropped. */
export function arrive(feed: Feed, changes: readonly Change[], hold: boolean): Feed {
  const newest = feed.held[0]?.id ?? feed.items[0]?.id;
  const fresh = changes
    .filter(change => newest === undefined || compareIds(change.id, newest) > 0)
    .toReversed();
  if (fresh.length === 0) return feed;
  const holding = {
    ...feed,
    held: [...fresh, ...feed.held].slice(0, feedMax),
    heldCount: feed.heldCount + fresh.length,
  };
  return hold ? holding : release(holding);
}

/** Puts what was held into the list. When more was held than is kept, the list starts over with the newest. */
export function release(feed: Feed): Feed {
  if (feed.heldCount === 0) return feed;
  const gap = feed.heldCount > feed.held.length;
  const all = gap ? feed.held : [...feed.held, ...feed.items];
  const cut = gap || all.length > Math.max(feedMax, feed.items.length);
  return {
    items: cut ? all.slice(0, feedMax) : all,
    held: [],
    heldCount: 0,
    nextCursor: cut ? null : feed.nextCursor,
    cut: feed.cut || cut,
  };
}

/** Id after which the stream goes on; '0' is before every change. */
export function newestId(feed: Feed): string {
  return feed.held[0]?.id ?? feed.items[0]?.id ?? '0';
}
