import { LockKeyhole } from 'lucide-react';
import { looksNumeric, maskText } from './change-diff.ts';

/** One column value: NULL, a masked value and an absent one look like what they are. */
export function FieldValue({ value }: { readonly value: string | null | undefined }) {
  if (value === undefined) return <span className="value value-absent">not there</span>;
  if (value === null) return <span className="value value-null">NULL</span>;
  if (value === maskText) return <MaskedValue />;
  if (value === '') return <span className="value value-null">empty</span>;
  return <span className={`value mono${looksNumeric(value) ? ' value-number' : ''}`}>{value}</span>;
}

function MaskedValue() {
  return (
    <span className="value value-masked" title="Masked by capture: the value never left the database">
      <LockKeyhole size={12} aria-hidden="true" />
      masked
    </span>
  );
}
