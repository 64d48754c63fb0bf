/** Something that the palette can do. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly group: 'Go to' | 'Find' | 'Settings';
  /** Further words that find it. */
  readonly words?: string;
  readonly keys?: string;
  readonly run: () => void;
}

/** The commands that fit what was typed, best first: those whose title starts with it, then any with all its words. */
export function matchCommands(commands: readonly Command[], typed: string): readonly Command[] {
  const wanted = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return commands;
  const fits = (command: Command) => {
    const text = `${command.title} ${command.group} ${command.words ?? ''}`.toLowerCase();
    return wanted.every(word => text.includes(word));
  };
  const starts = (command: Command) => command.title.toLowerCase().startsWith(wanted.join(' '));
  const found = commands.filter(fits);
  return [...found.filter(starts), ...found.filter(command => !starts(command))];
}

/** What typed text may mean beyond a command: `users 42` or `users/42` is a row, anything else is searched for. */
export function parseTyped(typed: string): {
  readonly text: string;
  readonly row: { readonly table: string; readonly key: string } | undefined;
} {
  const text = typed.trim();
  const match = /^([a-z_][\w$]*)[\s/:]+(\S+)$/i.exec(text);
  const [, table, key] = match ?? [];
  return { text, row: table !== undefined && key !== undefined ? { table, key } : undefined };
}
