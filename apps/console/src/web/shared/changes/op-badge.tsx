import { Minus, PencilLine, Plus, Table2 } from 'lucide-react';
import { operationOf } from './change-diff.ts';

const icons = { INSERT: Plus, UPDATE: PencilLine, DELETE: Minus, DDL: Table2 } as const;

/** What happened to the row: icon, word and colour. */
export function OpBadge({ type }: { readonly type: string }) {
  const operation = operationOf(type);
  const Icon = icons[operation];
  return (
    <span className={`op op-${operation.toLowerCase()}`}>
      <Icon size={12} strokeWidth={2.6} aria-hidden="true" />
      <span className="op-word">{operation === 'DDL' ? type.toUpperCase() : operation}</span>
    </span>
  );
}
