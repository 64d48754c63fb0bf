import { Radio, Search, SearchX } from 'lucide-react';
import { type Ref, useEffect } from 'react';
import { Button } from '../../shared/ui/button.tsx';
import { Failure } from '../../shared/ui/failure.tsx';
import { Notice } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { ChangeRows } from './change-rows.tsx';
import { type ChangeSearch, isFiltered } from './change-search.ts';
import { HeldPill } from './held-pill.tsx';
import type { ChangeFeed } from './use-change-feed.ts';

/** What the page asks of the list. */
export interface ChangeListHandle {
  /** Moves to the next (1) or former (-1) row. */
  move(step: 1 | -1): void;
  toTop(): void;
  focusRow(id: string): void;
}

export interface ChangeListProps {
  readonly ref: Ref<ChangeListHandle>;
  readonly feed: ChangeFeed;
  readonly search: ChangeSearch;
  readonly selectedId: string | undefined;
  readonly onOpen: (id: string) => void;
  /** Someone is reading in the list, or no longer. */
  readonly onReadingChange: (reading: boolean) => void;
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
        <HeldPill count={feed.feed.heldCount} onShow={props.onShowNewest} />
      </div>
    );
  }
  return <ChangeRows {...props} />;
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
