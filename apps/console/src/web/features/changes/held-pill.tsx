import { ArrowUp } from 'lucide-react';
import { formatCount, plural } from '../../shared/format.ts';
import { useThrottled } from '../../shared/use-throttled.ts';

/** Screen readers hear the count at most this often, and never the rows. */
const announceMs = 5000;

interface HeldPillProps {
  /** Changes that wait. */
  readonly count: number;
  readonly onShow: () => void;
}

/** Says that newer changes wait, and shows them. */
export function HeldPill({ count, onShow }: HeldPillProps) {
  const announced = useThrottled(count, announceMs);
  return (
    <>
      <output className="visually-hidden">
        {announced > 0 && `${plural(announced, 'new change')} waiting`}
      </output>
      {count > 0 && (
        <button type="button" className="held-pill" onClick={onShow}>
          <ArrowUp size={14} aria-hidden="true" />
          {formatCount(count)} new
        </button>
      )}
    </>
  );
}
