import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { Change } from '@tidemark/contracts';
import { ChevronDown, ChevronUp, History, X } from 'lucide-react';
import { use, useEffect, useRef, useState } from 'react';
import { diffOf, operationOf } from '../../shared/changes/change-diff.ts';
import { changeAsJson, curlFor } from '../../shared/changes/change-text.ts';
import { DiffTable } from '../../shared/changes/diff-table.tsx';
import { OpBadge } from '../../shared/changes/op-badge.tsx';
import { IconButton } from '../../shared/ui/button.tsx';
import { CopyButton } from '../../shared/ui/copy-button.tsx';
import { Failure } from '../../shared/ui/failure.tsx';
import { Instant } from '../../shared/ui/instant.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { useEscape } from '../../shared/use-escape.ts';
import { changeQuery } from './change-api.ts';
import { ChangeFacts } from './change-facts.tsx';
import { FeedContext } from './feed-context.ts';
import { Journey } from './journey.tsx';

/** One change beside the list, under its own address. */
export function ChangeDrawer() {
  const { changeId = '' } = useParams({ strict: false });
  const { items, open, rememberFocus } = use(FeedContext);
  const listed = items.find(change => change.id === changeId);
  const query = useQuery({ ...changeQuery(changeId), ...(listed ? { initialData: listed } : {}) });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  const close = () => {
    open(undefined);
    rememberFocus(changeId);
  };
  useEscape(close);
  const index = items.findIndex(change => change.id === changeId);
  const step = (by: number) => open(items[index + by]?.id ?? changeId);

  return (
    <aside className="drawer" aria-label="Change">
      <header className="drawer-head">
        <h2 ref={heading} tabIndex={-1}>
          Change <span className="mono">{changeId}</span>
        </h2>
        <IconButton label="Newer change" disabled={index <= 0} onClick={() => step(-1)}>
          <ChevronUp size={18} />
        </IconButton>
        <IconButton
          label="Older change"
          disabled={index < 0 || index >= items.length - 1}
          onClick={() => step(1)}
        >
          <ChevronDown size={18} />
        </IconButton>
        <IconButton label="Close" aria-keyshortcuts="Escape" onClick={close}>
          <X size={18} />
        </IconButton>
      </header>
      <div className="drawer-body" tabIndex={-1}>
        {query.isPending && <Skeleton rows={6} />}
        {query.isError && !query.data && (
          <Failure
            what="The change could not be loaded"
            error={query.error}
            onRetry={() => void query.refetch()}
            retrying={query.isFetching}
          />
        )}
        {query.data && <ChangeDetail change={query.data} />}
      </div>
    </aside>
  );
}

function ChangeDetail({ change }: { readonly change: Change }) {
  return (
    <>
      <div className="drawer-lead">
        <OpBadge type={change.type} />
        <p className="drawer-subject">
          <span className="muted">{change.database}.</span>
          {change.table}
          {change.key !== '' && <span className="mono drawer-key">{change.key}</span>}
        </p>
        <p className="muted">
          committed <Instant at={change.committedAt} /> · <Instant at={change.committedAt} as="full" />
        </p>
      </div>
      <div className="drawer-actions">
        {change.key !== '' && (
          <Link
            className="button button-secondary button-sm"
            to="/rows/$database/$table/$key"
            params={{ database: change.database, table: change.table, key: change.key }}
            search={{ at: change.id }}
          >
            <History size={14} aria-hidden="true" />
            Row history
          </Link>
        )}
        <CopyButton text={() => changeAsJson(change)}>Copy JSON</CopyButton>
        <CopyButton text={() => curlFor(location.origin, `/api/changes/${change.id}`)}>Copy curl</CopyButton>
      </div>
      {operationOf(change.type) === 'DDL' ? (
        <pre className="ddl">{change.sql ?? 'no statement'}</pre>
      ) : (
        <Diff change={change} />
      )}
      <Journey change={change} />
      <ChangeFacts change={change} />
    </>
  );
}

function Diff({ change }: { readonly change: Change }) {
  const diff = diffOf(change);
  const sameCount = diff.filter(field => field.state === 'same').length;
  const [all, setAll] = useState(true);
  return (
    <section aria-labelledby="diff-title">
      <div className="section-head">
        <h3 id="diff-title">Columns</h3>
        {sameCount > 0 && (
          <label className="check">
            <input type="checkbox" checked={all} onChange={event => setAll(event.target.checked)} />
            Show the {sameCount} unchanged
          </label>
        )}
      </div>
      <DiffTable diff={diff} onlyChanged={!all} />
    </section>
  );
}
