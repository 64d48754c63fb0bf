import type { Change } from '@tidemark/contracts';
import type { ReactNode } from 'react';
import { groupDigits, unknownText } from '../../shared/format.ts';

/** Where the change lies in the source, in the log, and in the traces. */
export function ChangeFacts({ change }: { readonly change: Change }) {
  return (
    <section aria-labelledby="facts-title">
      <div className="section-head">
        <h3 id="facts-title">Where it lies</h3>
      </div>
      <dl className="facts">
        <Fact name="Commit position (TSO)">{change.commitTs}</Fact>
        <Fact name="Topic">{change.topic}</Fact>
        <Fact name="Partition">{change.partition}</Fact>
        <Fact name="Offset">{groupDigits(change.offset)}</Fact>
        <Fact name="Change id">{change.id}</Fact>
        <Fact name="Trace">{change.traceId ?? unknownText}</Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="mono">{children}</dd>
    </div>
  );
}
