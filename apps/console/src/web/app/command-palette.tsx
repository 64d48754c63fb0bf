import { useNavigate } from '@tanstack/react-router';
import { databaseName } from '@tidemark/contracts/names';
import { Search } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { setPreference } from '../shared/preferences.ts';
import { ModalFrame } from '../shared/ui/dialog.tsx';
import { Kbd } from '../shared/ui/kbd.tsx';
import { useSignOut } from './account-menu.tsx';
import { CommandList } from './command-list.tsx';
import { type Command, matchCommands, parseTyped } from './commands.ts';
import { pages } from './navigation.ts';

interface CommandPaletteProps {
  readonly onClose: () => void;
  readonly onHelp: () => void;
}

/** Everything from one input: pages, rows, searches, settings. */
export function CommandPalette({ onClose, onHelp }: CommandPaletteProps) {
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const listId = useId();
  const commands = useCommands(onHelp);
  const suggestions = useSuggestions(typed);
  const shown = [...matchCommands(commands, typed), ...suggestions];
  const activeId = shown[active]?.id;

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move === undefined && event.key !== 'Enter') return;
    event.preventDefault();
    if (move === undefined) run(shown[active]);
    else setActive((active + move + shown.length) % Math.max(1, shown.length));
  };

  return (
    <ModalFrame className="dialog palette" label="Go to anything" onClose={onClose}>
      <div className="palette-input">
        <Search size={18} aria-hidden="true" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={activeId === undefined ? undefined : `${listId}-${activeId}`}
          aria-label="Page, row, search or setting"
          placeholder="Page, row such as users 42, or text to search for"
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={event => {
            setTyped(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
        <Kbd keys="Esc" />
      </div>
      <CommandList id={listId} commands={shown} active={active} onActive={setActive} onRun={run} />
    </ModalFrame>
  );
}

function useCommands(onHelp: () => void): readonly Command[] {
  const navigate = useNavigate();
  const leave = useSignOut();
  return [
    ...pages.map(page => ({
      id: page.label,
      title: page.label,
      group: 'Go to' as const,
      keys: page.keys,
      run: () => void navigate({ to: page.to }),
    })),
    ...(['INSERT', 'UPDATE', 'DELETE'] as const).map(type => ({
      id: type,
      title: `${type} changes`,
      group: 'Find' as const,
      words: 'operation filter',
      run: () => void navigate({ to: '/changes', search: { type } }),
    })),
    setting('light', 'Light theme', () => setPreference('theme', 'light')),
    setting('dark', 'Dark theme', () => setPreference('theme', 'dark')),
    setting('system', 'Theme as the system', () => setPreference('theme', 'system')),
    setting('utc', 'Times in UTC', () => setPreference('zone', 'utc')),
    setting('local', 'Times in local time', () => setPreference('zone', 'local')),
    setting('help', 'Keyboard and help', onHelp),
    setting('sign-out', 'Sign out', leave),
  ];
}

function setting(id: string, title: string, run: () => void): Command {
  return { id, title, group: 'Settings', run };
}

function useSuggestions(typed: string): readonly Command[] {
  const navigate = useNavigate();
  const { text, row } = parseTyped(typed);
  if (text === '') return [];
  const search: Command = {
    id: 'search-text',
    title: `Search changes for “${text}”`,
    group: 'Find',
    run: () => void navigate({ to: '/changes', search: { q: text } }),
  };
  if (!row) return [search];
  const history: Command = {
    id: 'row-history',
    title: `History of ${row.table} ${row.key}`,
    group: 'Find',
    run: () =>
      void navigate({
        to: '/rows/$database/$table/$key',
        params: { database: databaseName, ...row },
        search: {},
      }),
  };
  return [history, search];
}
