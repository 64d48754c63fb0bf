import { useQuery } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { Failure, StaleBanner } from '../../shared/ui/failure.tsx';
import { Instant } from '../../shared/ui/instant.tsx';
import { PageHeader } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { useTitle } from '../../shared/use-title.ts';
import { FlowMap } from './flow-map.tsx';
import { KeyFigures } from './key-figures.tsx';
import './overview.css';
import { overviewQuery, pipelinesQuery } from './overview-data.ts';
import { PipelinesPanel } from './pipelines-panel.tsx';
import { samples } from './samples.ts';
import { SeriesPanel } from './series-panel.tsx';

export function OverviewPage() {
  useTitle('Overview');
  const overview = useQuery(overviewQuery);
  const pipelines = useQuery(pipelinesQuery);
  const history = useSyncExternalStore(samples.subscribe, samples.all);
  const retry = () => void Promise.all([overview.refetch(), pipelines.refetch()]);

  return (
    <div className="page overview">
      <PageHeader
        title="Overview"
        lead="The way of every change, from commit to change store."
        actions={overview.data && <Freshness at={overview.data.at} stale={overview.isError} />}
      />
      {overview.isPending && <OverviewSkeleton />}
      {overview.isError && !overview.data && (
        <div className="panel">
          <Failure
            what="The overview could not be loaded"
            error={overview.error}
            onRetry={retry}
            retrying={overview.isFetching}
          />
        </div>
      )}
      {overview.data && (
        <>
          {overview.isError && <StaleBanner error={overview.error} onRetry={retry} />}
          <FlowMap stations={overview.data.stations} samples={history} />
          <KeyFigures overview={overview.data} pipelines={pipelines.data} samples={history} />
          <SeriesPanel samples={history} />
          <PipelinesPanel query={pipelines} />
        </>
      )}
    </div>
  );
}

function Freshness({ at, stale }: { readonly at: string; readonly stale: boolean }) {
  return (
    <p className="live-mark">
      <span className={stale ? 'live-dot live-dot-off' : 'live-dot'} aria-hidden="true" />
      {stale ? 'Last seen' : 'Live'} <span className="muted">·</span> <Instant at={at} />
    </p>
  );
}

function OverviewSkeleton() {
  return (
    <>
      <div className="panel">
        <Skeleton rows={3} height={64} />
      </div>
      <div className="panel">
        <Skeleton rows={4} />
      </div>
    </>
  );
}
