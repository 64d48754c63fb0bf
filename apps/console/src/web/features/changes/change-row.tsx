import { Link } from '@tanstack/react-router';
import type { Change } from '@tidemark/contracts';
import { memo } from 'react';
import { ChangeSummary } from '../../shared/changes/change-summary.tsx';
import { OpBadge } from '../../shared/changes/op-badge.tsx';
import { formatSeconds, unknownText } from '../../shared/format.ts';
import { secondsBetween } from '../../shared/time.ts';
import { Instant } from '../../shared/ui/instant.tsx';

interface ChangeRowProps {
  readonly change: Change;
  readonly selected: boolean;
  readonly onFocus: () => void;
}

/** One change in the list. The whole row is a link to the change, with the list's filters kept. */
export const ChangeRow = memo(function ChangeRow({ change, selected, onFocus }: ChangeRowProps) {
  return (
    <Link
      to="/changes/$changeId"
      params={{ changeId: change.id }}
      search={true}
      className="change-row"
      aria-current={selected || undefined}
      data-change={change.id}
      onFocus={onFocus}
    >
      <span className="change-time mono">
        <Instant at={change.committedAt} as="clock" />
      </span>
      <OpBadge type={change.type} />
      <span className="change-table">{change.table}</span>
      <span className="change-key mono">{change.key === '' ? unknownText : change.key}</span>
      <ChangeSummary change={change} />
      <span className="change-latency num">
        {formatSeconds(secondsBetween(change.committedAt, change.storedAt))}
      </span>
    </Link>
  );
});
