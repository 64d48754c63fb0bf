import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import { overviewQuery, worstState } from '../features/overview/overview-data.ts';
import { formatCount } from '../shared/format.ts';

/** The whole in one line, on every page. It also keeps the charts of the overview fed. */
export function StackStatus() {
  const { data, isError } = useQuery(overviewQuery);
  if (!data && !isError) return <div className="stack-status stack-unknown">Looking around…</div>;
  const state = isError || !data ? 'down' : worstState(data);
  const Icon = state === 'ok' ? CircleCheck : state === 'down' ? CircleX : TriangleAlert;
  return (
    <Link to="/" className={`stack-status stack-${state}`}>
      <Icon size={16} aria-hidden="true" />
      <span>
        <b>{isError ? 'Not reachable' : words[state]}</b>
        {data && !isError && <small>{formatCount(data.unaccounted)} unaccounted</small>}
      </span>
    </Link>
  );
}

const words = {
  ok: 'All is well',
  degraded: 'Degraded',
  down: 'Needs attention',
  unknown: 'Partly unknown',
} as const;
