import type { Change } from '@tidemark/contracts';
import { formatSeconds } from '../../shared/format.ts';
import { secondsBetween } from '../../shared/time.ts';
import { Instant } from '../../shared/ui/instant.tsx';

/** When the change was where: committed, captured, stored, and how long each stretch took. */
export function Journey({ change }: { readonly change: Change }) {
  const toCapture = secondsBetween(change.committedAt, change.capturedAt);
  const toStore = secondsBetween(change.capturedAt, change.storedAt);
  const total = Math.max(0, toCapture) + Math.max(0, toStore);
  return (
    <section aria-labelledby="journey-title">
      <div className="section-head">
        <h3 id="journey-title">Journey</h3>
        <span className="muted">
          {formatSeconds(secondsBetween(change.committedAt, change.storedAt))} in all
        </span>
      </div>
      <div className="journey-bar" aria-hidden="true">
        <i className="journey-capture" style={{ flexGrow: share(toCapture, total) }} />
        <i className="journey-store" style={{ flexGrow: share(toStore, total) }} />
      </div>
      <ol className="journey">
        <li>
          <span>Committed</span>
          <Instant at={change.committedAt} as="clock" />
        </li>
        <li className="journey-capture">
          <span>Captured</span>
          <Instant at={change.capturedAt} as="clock" />
          <b>+{formatSeconds(toCapture)}</b>
        </li>
        <li className="journey-store">
          <span>Stored</span>
          <Instant at={change.storedAt} as="clock" />
          <b>+{formatSeconds(toStore)}</b>
        </li>
      </ol>
    </section>
  );
}

/** Part of the whole, never so small that it vanishes; clocks of two machines may even make it negative. */
function share(part: number, total: number): number {
  return total <= 0 ? 0.5 : Math.max(0.04, part / total);
}
