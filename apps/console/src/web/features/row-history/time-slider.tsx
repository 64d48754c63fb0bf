import type { Change } from '@tidemark/contracts';
import { useId } from 'react';
import { usePreferences } from '../../shared/preferences.ts';
import { formatInstant } from '../../shared/time.ts';

interface TimeSliderProps {
  /** Newest first. */
  readonly versions: readonly Change[];
  readonly index: number;
  readonly onSelect: (index: number) => void;
}

/** Travels through the versions: left is the oldest, right is now. */
export function TimeSlider({ versions, index, onSelect }: TimeSliderProps) {
  const id = useId();
  const { zone } = usePreferences();
  const last = versions.length - 1;
  const selected = versions[index];
  if (last < 1 || !selected) return null;
  const instant = formatInstant(selected.committedAt, zone);
  return (
    <div className="panel time-slider">
      <label htmlFor={id}>
        The row as of <strong>{instant}</strong>
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={last}
        step={1}
        value={last - index}
        aria-valuetext={`Version ${last - index + 1} of ${versions.length}, ${instant}`}
        onChange={event => onSelect(last - Number(event.target.value))}
      />
      <div className="time-ends muted" aria-hidden="true">
        <span>oldest</span>
        <span>newest</span>
      </div>
    </div>
  );
}
