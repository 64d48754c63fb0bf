import { useId, useState } from 'react';
import { usePreferences } from '../../shared/preferences.ts';
import type { Zone } from '../../shared/time.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Dialog } from '../../shared/ui/dialog.tsx';
import { TextField } from '../../shared/ui/field.tsx';
import type { ChangeSearch } from './change-search.ts';
import { fromInputValue, toInputValue } from './time-input.ts';

const choices = [
  { value: '', label: 'any time' },
  { value: '5m', label: 'last 5 minutes' },
  { value: '15m', label: 'last 15 minutes' },
  { value: '1h', label: 'last hour' },
  { value: '24h', label: 'last 24 hours' },
  { value: 'custom', label: 'from … to …' },
] as const;

interface TimeFilterProps {
  readonly search: ChangeSearch;
  readonly onChange: (part: Partial<Record<keyof ChangeSearch, string | undefined>>) => void;
}

/** When the change was committed. */
export function TimeFilter({ search, onChange }: TimeFilterProps) {
  const id = useId();
  const [asking, setAsking] = useState(false);
  const custom = search.from !== undefined || search.to !== undefined;
  return (
    <div className="filter-input">
      <label htmlFor={id}>Time</label>
      <select
        id={id}
        value={custom ? 'custom' : (search.last ?? '')}
        onChange={event => {
          if (event.target.value === 'custom') setAsking(true);
          else onChange({ last: event.target.value, from: undefined, to: undefined });
        }}
      >
        {choices.map(choice => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      {custom && (
        <Button size="sm" variant="ghost" onClick={() => setAsking(true)}>
          Edit
        </Button>
      )}
      {asking && (
        <CustomRange
          search={search}
          onClose={() => setAsking(false)}
          onApply={range => {
            setAsking(false);
            onChange({ last: undefined, ...range });
          }}
        />
      )}
    </div>
  );
}

interface CustomRangeProps {
  readonly search: ChangeSearch;
  readonly onClose: () => void;
  readonly onApply: (range: { readonly from: string | undefined; readonly to: string | undefined }) => void;
}

function CustomRange({ search, onClose, onApply }: CustomRangeProps) {
  const { zone } = usePreferences();
  const [from, setFrom] = useState(inputValue(search.from, zone));
  const [to, setTo] = useState(inputValue(search.to, zone));
  const wrongOrder = from !== '' && to !== '' && from >= to;
  return (
    <Dialog
      title="Time of commit"
      description={`Times are ${zone === 'utc' ? 'UTC' : 'local'}. With an end, the list is not live.`}
      size="sm"
      onClose={onClose}
    >
      <form
        className="form"
        onSubmit={event => {
          event.preventDefault();
          if (!wrongOrder) onApply({ from: fromInputValue(from, zone), to: fromInputValue(to, zone) });
        }}
      >
        <TextField
          label="From"
          type="datetime-local"
          step={1}
          value={from}
          onChange={event => setFrom(event.target.value)}
        />
        <TextField
          label="To"
          type="datetime-local"
          step={1}
          value={to}
          error={wrongOrder ? 'The end must lie after the start.' : undefined}
          onChange={event => setTo(event.target.value)}
        />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary">
            Apply
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function inputValue(iso: string | undefined, zone: Zone): string {
  return iso === undefined ? '' : toInputValue(iso, zone);
}
