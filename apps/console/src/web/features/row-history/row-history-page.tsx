import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { Change } from '@tidemark/contracts';
import { ArrowLeft, History } from 'lucide-react';
import { plural } from '../../shared/format.ts';
import { useShortcuts } from '../../shared/shortcuts.ts';
import { Failure } from '../../shared/ui/failure.tsx';
import { Notice, PageHeader } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { useTitle } from '../../shared/use-title.ts';
import { type RowHistory, rowHistoryQuery } from './row-history-data.ts';
import './row-history.css';
import { TimeSlider } from './time-slider.tsx';
import { VersionDetail } from './version-detail.tsx';
import { VersionList } from './version-list.tsx';

export function RowHistoryPage() {
  const { database = '', table = '', key = '' } = useParams({ strict: false });
  useTitle(`${table} ${key}`);
  const query = useQuery(rowHistoryQuery({ database, table, key }));
  return (
    <div className="page row-history">
      <Link to="/changes" search={{ table, key }} className="back-link">
        <ArrowLeft size={15} aria-hidden="true" />
        Changes of this row
      </Link>
      <PageHeader
        title={`${table} ${key}`}
        lead={
          <>
            Every version of this row in <span className="mono">{database}</span>, and the row as it stood at
            any of them.
          </>
        }
        actions={query.data && query.data.versions.length > 0 && <Extent history={query.data} />}
      />
      {query.isPending && (
        <div className="panel">
          <Skeleton rows={8} />
        </div>
      )}
      {query.isError && !query.data && (
        <div className="panel">
          <Failure
            what="The row’s history could not be loaded"
            error={query.error}
            onRetry={() => void query.refetch()}
            retrying={query.isFetching}
          />
        </div>
      )}
      {query.data && <Versions versions={query.data.versions} />}
    </div>
  );
}

function Extent({ history }: { readonly history: RowHistory }) {
  return (
    <p className="muted">
      {history.more ? 'newest ' : ''}
      {plural(history.versions.length, 'version')}
    </p>
  );
}

function Versions({ versions }: { readonly versions: readonly Change[] }) {
  const { at } = useSearch({ strict: false });
  const navigate = useNavigate();
  const found = versions.findIndex(version => version.id === at);
  const index = found < 0 ? 0 : found;
  const select = (next: number) => {
    const version = versions[Math.max(0, Math.min(versions.length - 1, next))];
    if (version) void navigate({ to: '.', search: { at: version.id }, replace: true });
  };
  useShortcuts({ j: () => select(index + 1), k: () => select(index - 1) });

  const selected = versions[index];
  if (!selected) {
    return (
      <div className="panel">
        <Notice icon={<History size={22} />} title="No version of this row is in the change store">
          <p>Its changes may be older than the changefeed, or its table is not captured.</p>
        </Notice>
      </div>
    );
  }
  return (
    <>
      <TimeSlider versions={versions} index={index} onSelect={select} />
      <div className="history-columns">
        <VersionList versions={versions} index={index} onSelect={select} />
        <VersionDetail version={selected} number={versions.length - index} />
      </div>
    </>
  );
}
