import { Link } from '@tanstack/react-router';
import type { Change } from '@tidemark/contracts';
import { diffOf, operationOf } from '../../shared/changes/change-diff.ts';
import { changeAsJson } from '../../shared/changes/change-text.ts';
import { DiffTable } from '../../shared/changes/diff-table.tsx';
import { OpBadge } from '../../shared/changes/op-badge.tsx';
import { CopyButton } from '../../shared/ui/copy-button.tsx';
import { Instant } from '../../shared/ui/instant.tsx';

/** The row at one version, beside what it was before. */
export function VersionDetail({ version, number }: { readonly version: Change; readonly number: number }) {
  return (
    <section className="panel version-detail" aria-labelledby="version-title" aria-live="polite">
      <div className="panel-head">
        <h2 id="version-title">
          Version {number} <OpBadge type={version.type} />
        </h2>
        <p className="muted">
          <Instant at={version.committedAt} as="full" />
        </p>
      </div>
      <div className="version-body">
        {operationOf(version.type) === 'DELETE' && (
          <p className="banner banner-bad">The row does not exist after this version.</p>
        )}
        <DiffTable diff={diffOf(version)} />
        <div className="drawer-actions">
          <Link
            className="button button-secondary button-sm"
            to="/changes/$changeId"
            params={{ changeId: version.id }}
            search={{ table: version.table, key: version.key }}
          >
            Open the change
          </Link>
          <CopyButton text={() => changeAsJson(version)}>Copy JSON</CopyButton>
        </div>
      </div>
    </section>
  );
}
