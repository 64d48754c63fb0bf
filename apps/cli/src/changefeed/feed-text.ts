import type { Style, Terminal } from '../terminal.ts';
import type { FeedError, FeedInfo, FeedStatus, ListedFeed } from './openapi-client.ts';

/** What changefeeds look like to a person. */
export function printFeeds(terminal: Terminal, feeds: readonly ListedFeed[]): void {
  const { style } = terminal;
  const print = (line: string) => terminal.print(line);
  if (feeds.length === 0) return print('  there are no changefeeds');
  const width = Math.max(10, ...feeds.map(({ id }) => id.length));
  print(style.dim(`  ${'changefeed'.padEnd(width)}  ${'state'.padEnd(9)} checkpoint`));
  for (const { id, state, checkpoint_time: at, error } of feeds) {
    print(`  ${id.padEnd(width)}  ${paint(style, state, state.padEnd(9))} ${at ?? '–'}`);
    printError(print, error);
  }
}

export function printFeed(terminal: Terminal, feed: FeedInfo): void {
  const { style } = terminal;
  const print = (line: string) => terminal.print(line);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['changefeed', feed.id],
    ['state', feed.state === undefined ? undefined : paint(style, feed.state, feed.state)],
    ['source', feed.source_uri],
    ['sink', feed.sink_uri],
    ['created', feed.create_time],
    ['checkpoint', feed.checkpoint_time],
    ['tables', rulesOf(feed)?.join(', ')],
  ];
  for (const [name, value] of rows) if (value !== undefined) print(`  ${name.padEnd(11)} ${value}`);
  printError(print, feed.error);
}

export function printStatus(terminal: Terminal, id: string, status: FeedStatus): void {
  const { style } = terminal;
  const print = (line: string) => terminal.print(line);
  print(
    `  ${id}  ${paint(style, status.state, status.state)}  checkpoint ${String(status.checkpoint_ts ?? '–')}`,
  );
  printError(print, status.last_error ?? status.last_warning);
}

export function rulesOf({ config }: FeedInfo): readonly string[] | undefined {
  const filter = config?.['filter'];
  const rules: unknown =
    typeof filter === 'object' && filter !== null && 'rules' in filter ? filter.rules : undefined;
  return Array.isArray(rules) ? rules.map(String) : undefined;
}

function printError(print: (line: string) => void, error: FeedError | null | undefined): void {
  if (error === null || error === undefined || (error.message ?? '') === '') return;
  print(`    ${error.message}${error.code === undefined ? '' : ` (${error.code})`}`);
}

function paint(style: Style, state: string, text: string): string {
  if (state === 'normal' || state === 'finished') return style.green(text);
  return state === 'failed' ? style.red(text) : style.yellow(text);
}
