import type { Change } from '@tidemark/contracts';
import { diffOf, type FieldDiff, headlineFields, operationOf } from './change-diff.ts';
import { FieldValue } from './field-value.tsx';

/** A change in one line: what changed, from what to what. */
export function ChangeSummary({ change, max = 3 }: { readonly change: Change; readonly max?: number }) {
  if (operationOf(change.type) === 'DDL') return <span className="summary mono">{change.sql ?? ''}</span>;
  const diff = diffOf(change);
  // The key has a column of its own in the list.
  const untold = diff.filter(
    field => field.state === 'changed' || (field.after ?? field.before) !== change.key,
  );
  const shown = headlineFields(untold, max);
  const moreCount = diff.filter(field => field.state === 'changed').length - shown.length;
  return (
    <span className="summary">
      {shown.map(field => (
        <SummaryField key={field.name} field={field} />
      ))}
      {moreCount > 0 && <span className="summary-more">+{moreCount}</span>}
      {shown.length === 0 && <span className="muted">no visible column changed</span>}
    </span>
  );
}

function SummaryField({ field }: { readonly field: FieldDiff }) {
  const value = field.state === 'removed' ? field.before : field.after;
  return (
    <span className="summary-field">
      <span className="summary-name">{field.name}</span>
      {field.state === 'changed' && (
        <>
          <s>
            <FieldValue value={field.before} />
          </s>
          <span aria-hidden="true">→</span>
          <span className="visually-hidden">to</span>
        </>
      )}
      <FieldValue value={value} />
    </span>
  );
}
