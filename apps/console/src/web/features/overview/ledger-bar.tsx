import { formatCompact, formatCount } from '../../shared/format.ts';
import type { Books } from './books.ts';

const parts = [
  { name: 'delivered', label: 'delivered' },
  { name: 'duplicate', label: 'duplicate' },
  { name: 'filtered', label: 'filtered' },
  { name: 'deadLettered', label: 'dead-lettered' },
  { name: 'inFlight', label: 'in flight' },
] as const;

/** What became of the events read: a bar, and the same in words. Small parts stay visible. */
export function LedgerBar({ books }: { readonly books: Books }) {
  const present = parts.filter(part => books[part.name] > 0);
  return (
    <div
      className="ledger"
      title={present.map(part => `${formatCount(books[part.name])} ${part.label}`).join(', ')}
    >
      <span className="ledger-bar" aria-hidden="true">
        {present.map(part => (
          <i
            key={part.name}
            className={`ledger-${part.name}`}
            style={{ flexGrow: books[part.name] / books.read }}
          />
        ))}
      </span>
      <span className="ledger-text">
        {books.read === 0 && 'nothing read yet'}
        {present.map(part => (
          <span key={part.name}>
            <b>{formatCompact(books[part.name])}</b> {part.label}
          </span>
        ))}
      </span>
    </div>
  );
}
