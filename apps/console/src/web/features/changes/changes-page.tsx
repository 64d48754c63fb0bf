import { Outlet, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useShortcuts } from '../../shared/shortcuts.ts';
import { PageHeader } from '../../shared/ui/page.tsx';
import { useTitle } from '../../shared/use-title.ts';
import { ChangeFilters } from './change-filters.tsx';
import { ChangeList, type ChangeListHandle } from './change-list.tsx';
import { type ChangeSearch, parseChangeSearch } from './change-search.ts';
import './changes.css';
import './change-list.css';
import './change-filters.css';
import './change-drawer.css';
import { FeedContext } from './feed-context.ts';
import { FeedMark } from './feed-mark.tsx';
import { useChangeFeed } from './use-change-feed.ts';

export function ChangesPage() {
  useTitle('Changes');
  const search = parseChangeSearch(useSearch({ strict: false }));
  const { changeId } = useParams({ strict: false });
  const [paused, setPaused] = useState(false);
  const [reading, setReading] = useState(false);
  const list = useRef<ChangeListHandle>(null);
  const hold = paused || reading || changeId !== undefined;
  const feed = useChangeFeed(search, hold);
  const navigate = useNavigate();

  const { release } = feed;
  useEffect(() => {
    if (!hold) release();
  }, [hold, release]);

  const setSearch = (next: ChangeSearch) =>
    void navigate({ to: '/changes', search: next as Record<string, string>, replace: true });
  const open = (id: string | undefined) =>
    id === undefined
      ? void navigate({ to: '/changes', search: true })
      : void navigate({
          to: '/changes/$changeId',
          params: { changeId: id },
          search: true,
          replace: changeId !== undefined,
        });

  useShortcuts({
    j: () => list.current?.move(1),
    k: () => list.current?.move(-1),
    p: () => setPaused(!paused),
  });

  const showNewest = () => {
    feed.release();
    list.current?.toTop();
  };
  return (
    <FeedContext value={{ items: feed.feed.items, open, rememberFocus: id => list.current?.focusRow(id) }}>
      <div className={changeId === undefined ? 'page changes' : 'page changes changes-with-drawer'}>
        <div className="changes-main">
          <PageHeader
            title="Changes"
            lead="Every row change in the change store, newest first, live."
            actions={
              <FeedMark
                stream={feed.stream}
                paused={paused}
                onPausedChange={setPaused}
                onRetry={feed.restart}
              />
            }
          />
          <ChangeFilters search={search} items={feed.feed.items} onChange={setSearch} />
          <ChangeList
            ref={list}
            feed={feed}
            search={search}
            selectedId={changeId}
            onOpen={open}
            onReadingChange={setReading}
            onShowNewest={showNewest}
            onReset={() => setSearch({})}
          />
        </div>
        <Outlet />
      </div>
    </FeedContext>
  );
}
