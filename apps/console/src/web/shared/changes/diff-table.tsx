import { ArrowRight } from 'lucide-react';
import type { FieldDiff } from './change-diff.ts';
import { FieldValue } from './field-value.tsx';

const words = {
  changed: 'changed',
  added: 'new',
  removed: 'gone',
  same: 'unchanged',
  masked: 'masked',
} as const;

interface DiffTableProps {
  readonly diff: readonly FieldDiff[];
  /** Leaves out the columns that stayed as they were. */
  readonly onlyChanged?: boolean;
}

/** Column by column, before and after. */
export function DiffTable({ diff, onlyChanged = false }: DiffTableProps) {
  const shown = onlyChanged ? diff.filter(field => field.state !== 'same') : diff;
  return (
    <table className="diff">
      <thead>
        <tr>
          <th scope="col">Column</th>
          <th scope="col">Before</th>
          <th scope="col">
            <span className="visually-hidden">to</span>
          </th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {shown.map(field => (
          <tr key={field.name} className={`diff-${field.state}`}>
            <th scope="row">
              <span className="mono">{field.name}</span>
              <span className="visually-hidden">, {words[field.state]}</span>
            </th>
            <td className="diff-before">
              <FieldValue value={field.before} />
            </td>
            <td className="diff-arrow" aria-hidden="true">
              {field.state === 'same' ? null : <ArrowRight size={13} />}
            </td>
            <td className="diff-after">
              <FieldValue value={field.after} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
