import type { Change } from '@tidemark/contracts';
import { useEffect, useRef } from 'react';
import { diffOf, operationOf } from '../../shared/changes/change-diff.ts';
import { OpBadge } from '../../shared/changes/op-badge.tsx';
import { Instant } from '../../shared/ui/instant.tsx';

interface VersionListProps {
  readonly versions: readonly Change[];
  readonly index: number;
  readonly onSelect: (index: number) => void;
}

export function VersionList({ versions, index, onSelect }: VersionListProps) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    list.current?.children[index]?.scrollIntoView({ block: 'nearest' });
  }, [index]);
  return (
    <div className="panel">
      <div className="panel-head">
        <h2>Versions</h2>
      </div>
      <ol ref={list} className="versions" reversed start={versions.length}>
        {versions.map((version, position) => (
          <li key={version.id}>
            <button
              type="button"
              className="version"
              aria-current={position === index || undefined}
              onClick={() => onSelect(position)}
            >
              <span className="version-number mono">v{versions.length - position}</span>
              <OpBadge type={version.type} />
              <span className="version-what">{whatChanged(version)}</span>
              <span className="version-time muted">
                <Instant at={version.committedAt} />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

function whatChanged(version: Change): string {
  const diff = diffOf(version);
  const changed = diff.filter(field => field.state === 'changed');
  if (changed.length === 0 && operationOf(version.type) === 'UPDATE') return 'masked or nothing';
  return changed.map(field => field.name).join(', ');
}
