import type { DeadLetterDetail, DeadLetterEntry, ReplayResult } from '@tidemark/connectors';
import { cell, inColumns } from '../columns.ts';
import type { Terminal } from '../terminal.ts';

const head = ['id', 'failed', 'pipeline', 'place', 'key', 'status', 'replays', 'reason', 'error'];

export function printList(terminal: Terminal, letters: readonly DeadLetterEntry[], limit: number): void {
  if (letters.length === 0) return terminal.print('  no dead letter matches');
  const rows = letters.map(letter => [
    letter.id,
    letter.failedAt.slice(0, 19).replace('T', ' '),
    letter.pipeline,
    placeOf(letter),
    cell(letter.key ?? '–', 24),
    letter.status,
    String(letter.replays),
    letter.reason,
    cell(letter.error, 60),
  ]);
  const [first = '', ...rest] = inColumns([head, ...rows]);
  terminal.print(`  ${terminal.style.dim(first)}`);
  for (const line of rest) terminal.print(`  ${line}`);
  if (letters.length === limit)
    terminal.print(terminal.style.dim(`  the newest ${limit}; --limit shows more`));
}

export function printDetail(terminal: Terminal, letter: DeadLetterDetail): void {
  const { style } = terminal;
  const facts: [string, string][] = [
    ['dead letter', letter.id],
    ['status', `${letter.status}, replayed ${times(letter.replays)}`],
    ['pipeline', letter.pipeline],
    ['place', placeOf(letter)],
    [
      'failed',
      `${letter.failedAt} after ${letter.attempts} ${letter.attempts === 1 ? 'delivery' : 'deliveries'}`,
    ],
    ['reason', letter.reason],
    ['error', cell(letter.error, 2000)],
    ['key', cell(letter.key ?? '–', 400)],
    ...letter.headers.map(({ name, value }): [string, string] => [
      'header',
      cell(`${name}: ${value ?? '–'}`, 400),
    ]),
    ...(letter.edited ? [['original', cell(letter.originalPayload ?? '–', 10_000)] as [string, string]] : []),
    [letter.edited ? 'edited to' : 'payload', cell(letter.payload ?? '–', 10_000)],
    [
      'a replay',
      letter.wouldBeRefused === null ? 'would be read' : `would be refused again: ${letter.wouldBeRefused}`,
    ],
  ];
  for (const [name, value] of facts) terminal.print(`  ${style.dim(name.padEnd(12))} ${value}`);
  for (const { at, action, who, why } of letter.actions) {
    terminal.print(`  ${style.dim('log'.padEnd(12))} ${at} ${action} by ${cell(who, 80)}: ${cell(why, 400)}`);
  }
}

export function printReplay(
  terminal: Terminal,
  result: ReplayResult,
  dryRun: boolean,
  replaysMax: number,
): void {
  const { sent, overCap, homeless, incomplete, blocked } = result;
  terminal.print(`  ${dryRun ? 'would be sent back' : 'sent back'}: ${count(sent.length)}`);
  if (dryRun) for (const id of sent) terminal.print(`    ${id}`);
  const leftAlone = [
    [overCap, `they were sent back ${times(replaysMax)} or more`],
    [homeless, 'nothing says where they came from'],
    [incomplete, 'they were too large to carry their payload, which an edit has to put in'],
    [blocked, 'of their key, something before them is still open or on its way'],
  ] as const;
  for (const [ids, why] of leftAlone) {
    if (ids.length === 0) continue;
    terminal.print(`  left alone, because ${why}: ${count(ids.length)}`);
    for (const id of ids) terminal.print(`    ${id}`);
  }
}

export function count(letters: number): string {
  return letters === 1 ? '1 dead letter' : `${letters} dead letters`;
}

function times(replays: number): string {
  return replays === 1 ? 'once' : `${replays} times`;
}

function placeOf({ topic, partition, offset }: DeadLetterEntry): string {
  return `${topic}/${partition}@${offset}`;
}
