import type { UseQueryResult } from '@tanstack/react-query';
import type { Pipeline } from '@tidemark/contracts';
import { ChevronRight, Waypoints } from 'lucide-react';
import { Fragment, useState } from 'react';
import { formatCount, formatRate } from '../../shared/format.ts';
import { Failure } from '../../shared/ui/failure.tsx';
import { Notice } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { StatePill } from '../../shared/ui/state-pill.tsx';
import { booksOf } from './books.ts';
import { LedgerBar } from './ledger-bar.tsx';
import './pipelines.css';
import { PartitionTable } from './partition-table.tsx';

/** Every pipeline with its lag; its partitions unfold in place, several at once. */
export function PipelinesPanel({ query }: { readonly query: UseQueryResult<readonly Pipeline[]> }) {
  return (
    <section className="panel" aria-labelledby="pipelines-title">
      <div className="panel-head">
        <h2 id="pipelines-title">Pipelines</h2>
        {query.data && <p className="muted">From topic to sink, with their ledgers</p>}
      </div>
      <PipelinesBody query={query} />
    </section>
  );
}

function PipelinesBody({ query }: { readonly query: UseQueryResult<readonly Pipeline[]> }) {
  if (query.isPending) return <Skeleton rows={3} />;
  if (query.data === undefined) {
    return (
      <Failure
        what="The pipelines could not be loaded"
        error={query.error}
        onRetry={() => void query.refetch()}
        retrying={query.isFetching}
      />
    );
  }
  if (query.data.length === 0) {
    return (
      <Notice icon={<Waypoints size={22} />} title="No pipeline has run yet">
        <p>
          A pipeline appears here with the first event that it reads. See whether the consumer is running:
        </p>
        <code>./run.sh status</code>
      </Notice>
    );
  }
  return <PipelineTable pipelines={query.data} />;
}

function PipelineTable({ pipelines }: { readonly pipelines: readonly Pipeline[] }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (name: string) => {
    const next = new Set(open);
    if (!next.delete(name)) next.add(name);
    setOpen(next);
  };
  return (
    <table className="table table-cards">
      <thead>
        <tr>
          <th scope="col">Pipeline</th>
          <th scope="col">State</th>
          <th scope="col">Route</th>
          <th scope="col" className="num">
            Rate
          </th>
          <th scope="col" className="num">
            Lag
          </th>
          <th scope="col" className="cell-ledger">
            Ledger
          </th>
        </tr>
      </thead>
      <tbody>
        {pipelines.map(pipeline => (
          <Fragment key={pipeline.name}>
            <PipelineRow
              pipeline={pipeline}
              open={open.has(pipeline.name)}
              onToggle={() => toggle(pipeline.name)}
            />
            {open.has(pipeline.name) && (
              <tr className="sub-row">
                <td colSpan={6}>
                  <PartitionTable pipeline={pipeline} />
                </td>
              </tr>
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

interface PipelineRowProps {
  readonly pipeline: Pipeline;
  readonly open: boolean;
  readonly onToggle: () => void;
}

function PipelineRow({ pipeline, open, onToggle }: PipelineRowProps) {
  return (
    <tr>
      <th scope="row">
        <button type="button" className="disclosure" aria-expanded={open} onClick={onToggle}>
          <ChevronRight size={16} aria-hidden="true" />
          <span>
            <span className="mono">{pipeline.name}</span>
            <small>group {pipeline.group}</small>
          </span>
        </button>
      </th>
      <td data-label="State">
        <StatePill state={pipeline.state} />
      </td>
      <td data-label="Route" className="mono route">
        {pipeline.topic} <span aria-label="to">→</span> {pipeline.sink}
      </td>
      <td data-label="Rate" className="num">
        {formatRate(pipeline.ratePerSec)}
        <span className="muted"> /s</span>
      </td>
      <td data-label="Lag" className={pipeline.state === 'running' ? 'num' : 'num behind'}>
        {formatCount(pipeline.lag)}
      </td>
      <td data-label="Ledger" className="cell-ledger">
        <LedgerBar books={booksOf(pipeline)} />
      </td>
    </tr>
  );
}
