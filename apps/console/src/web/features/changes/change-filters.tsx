import type { Change } from '@tidemark/contracts';
import { Search, SlidersHorizontal, X } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { useShortcuts } from '../../shared/shortcuts.ts';
import { Button, IconButton } from '../../shared/ui/button.tsx';
import { Kbd } from '../../shared/ui/kbd.tsx';
import { narrowQuery, useMedia } from '../../shared/use-media.ts';
import { type ChangeSearch, isFiltered, operations, toggleOperation } from './change-search.ts';
import { TimeFilter } from './time-filter.tsx';

interface ChangeFiltersProps {
  readonly search: ChangeSearch;
  /** Where the names of tables to offer come from. */
  readonly items: readonly Change[];
  readonly onChange: (search: ChangeSearch) => void;
}

export function ChangeFilters({ search, items, onChange }: ChangeFiltersProps) {
  const narrow = useMedia(narrowQuery);
  const [unfolded, setUnfolded] = useState(false);
  const set = (part: Partial<Record<keyof ChangeSearch, string | undefined>>) =>
    onChange(withoutEmpty({ ...search, ...part }));
  const detailCount = Object.keys(search).filter(name => name !== 'q').length;

  return (
    <search className="filters">
      <SearchBox value={search.q ?? ''} onChange={q => set({ q })} />
      {narrow && (
        <Button
          icon={<SlidersHorizontal size={15} />}
          aria-expanded={unfolded}
          onClick={() => setUnfolded(!unfolded)}
        >
          Filters{detailCount > 0 ? ` (${detailCount})` : ''}
        </Button>
      )}
      {(!narrow || unfolded) && (
        <>
          <DelayedInput
            label="Table"
            value={search.table ?? ''}
            options={tablesOf(items)}
            onChange={table => set({ table })}
          />
          <DelayedInput label="Key" mono value={search.key ?? ''} onChange={key => set({ key })} />
          <fieldset className="segmented" aria-label="Operation">
            {operations.map(operation => (
              <button
                key={operation}
                type="button"
                aria-pressed={search.type?.split(',').includes(operation) ?? false}
                onClick={() => set({ type: toggleOperation(search.type, operation) })}
              >
                {operation.charAt(0) + operation.slice(1).toLowerCase()}
              </button>
            ))}
          </fieldset>
          <TimeFilter search={search} onChange={set} />
        </>
      )}
      {isFiltered(search) && (
        <Button variant="ghost" icon={<X size={15} />} onClick={() => onChange({})}>
          Clear
        </Button>
      )}
    </search>
  );
}

function withoutEmpty(search: Readonly<Record<string, string | undefined>>): ChangeSearch {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== undefined && value !== ''),
  );
}

function tablesOf(items: readonly Change[]): readonly string[] {
  return [...new Set(items.slice(0, 500).map(change => change.table))].sort();
}

/** How long the typing must rest before the search runs. */
const restMs = 300;

/** Text that is handed on when the typing rests or Enter is pressed, and that follows the address. */
function useRestedText(value: string, onChange: (value: string) => void) {
  const [text, setText] = useState(value);
  const handOn = useRef(onChange);
  useEffect(() => {
    handOn.current = onChange;
  });
  const [followed, setFollowed] = useState(value);
  if (followed !== value) {
    setFollowed(value);
    setText(value);
  }
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => handOn.current(text.trim()), restMs);
    return () => clearTimeout(timer);
  }, [text, value]);
  return [text, setText] as const;
}

function SearchBox({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const [text, setText] = useRestedText(value, onChange);
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({ '/': () => input.current?.focus() });
  return (
    <div className="search-box">
      <Search size={16} aria-hidden="true" />
      <input
        ref={input}
        className="input"
        type="search"
        aria-label="Search in rows, before and after"
        aria-keyshortcuts="/"
        placeholder="Search in rows, before and after"
        maxLength={200}
        value={text}
        onChange={event => setText(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      {text === '' ? (
        <Kbd keys="/" />
      ) : (
        <IconButton
          label="Clear the search"
          onClick={() => {
            setText('');
            input.current?.focus();
          }}
        >
          <X size={15} />
        </IconButton>
      )}
    </div>
  );
}

interface DelayedInputProps {
  readonly label: string;
  readonly value: string;
  readonly options?: readonly string[];
  readonly mono?: boolean;
  readonly onChange: (value: string) => void;
}

function DelayedInput({ label, value, options, mono = false, onChange }: DelayedInputProps) {
  const [text, setText] = useRestedText(value, onChange);
  const id = useId();
  return (
    <div className="filter-input">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className={mono ? 'mono' : ''}
        list={options ? `${id}-options` : undefined}
        placeholder="any"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      {options && (
        <datalist id={`${id}-options`}>
          {options.map(option => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </datalist>
      )}
    </div>
  );
}
