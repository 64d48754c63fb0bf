import { LagReader, type PartitionLag } from '@tidemark/connectors';
import { exitCodes, systemClock } from '@tidemark/kernel';
import { inColumns, toJson } from '../columns.ts';
import { type Command, type CommandContext, type CommandInput, dataOption } from '../command.ts';
import { explained, type Places, placesOf } from '../stack/connections.ts';
import type { Terminal } from '../terminal.ts';

const watchEveryMs = 2000;

interface GroupLag {
  readonly group: string;
  readonly partitions: readonly PartitionLag[];
}

/** Shows how far consumer groups are behind, of whatever make the broker and the consumers are. */
export const lag: Command = {
  name: 'lag',
  summary: 'show how far consumer groups are behind, and how old what waits is',
  options: {
    group: { type: 'string', value: 'NAME', doc: 'only this group (default: every group of the broker)' },
    topic: { type: 'string', value: 'NAME', doc: 'only this topic' },
    watch: { type: 'boolean', doc: `look again every ${watchEveryMs / 1000} seconds` },
    json: { type: 'boolean', doc: 'print JSON; with --watch one line for each look' },
    data: dataOption,
  },
  async run(input, context) {
    const places = await placesOf(input, context);
    const reader = new LagReader(places.kafka);
    try {
      return await explained(places, () => look(input, context, reader, places));
    } finally {
      await reader.close();
    }
  },
};

async function look(
  input: CommandInput,
  { terminal, interrupted }: CommandContext,
  reader: LagReader,
  { kafka }: Places,
): Promise<number> {
  const watching = input.flag('watch');
  do {
    const groups = await readGroups(reader, input);
    const nowMs = systemClock.now();
    if (input.flag('json')) terminal.print(toJson(report(groups, nowMs), watching ? 0 : 2));
    else printTable(terminal, groups, nowMs, kafka.brokers);
    if (!watching) break;
    await systemClock.sleep(watchEveryMs, interrupted).catch(() => {});
    if (!interrupted.aborted && !input.flag('json')) terminal.print();
  } while (!interrupted.aborted);
  return exitCodes.ok;
}

async function readGroups(reader: LagReader, input: CommandInput): Promise<GroupLag[]> {
  const wanted = input.text('group');
  const topic = input.text('topic');
  const groups: GroupLag[] = [];
  for (const group of wanted === undefined ? await reader.groups() : [wanted]) {
    const topics = (await reader.topicsOf(group)).filter(name => topic === undefined || name === topic);
    if (topics.length > 0) groups.push({ group, partitions: await reader.readWithAge(group, topics) });
  }
  return groups;
}

function report(groups: readonly GroupLag[], nowMs: number) {
  return {
    at: new Date(nowMs).toISOString(),
    groups: groups.map(({ group, partitions }) => ({
      group,
      lag: partitions.reduce((sum, found) => sum + found.lag, 0n),
      partitions: partitions.map(({ topic, partition, committed, endOffset, lag: behind, oldestMs }) => ({
        topic,
        partition,
        committed: committed ?? null,
        endOffset,
        lag: behind,
        oldestSeconds: oldestMs === undefined ? null : Math.max(0, nowMs - oldestMs) / 1000,
      })),
    })),
  };
}

const head = ['group', 'partition', 'committed', 'end', 'lag', 'oldest'];
const numbers = new Set([2, 3, 4, 5]);

function printTable(
  terminal: Terminal,
  groups: readonly GroupLag[],
  nowMs: number,
  brokers: readonly string[],
): void {
  if (groups.length === 0) {
    terminal.print(`  no consumer group has committed anything at ${brokers.join(', ')}`);
    return;
  }
  const rows = groups.flatMap(({ group, partitions }) =>
    partitions.map(({ topic, partition, committed, endOffset, lag: behind, oldestMs }) => [
      group,
      `${topic}/${partition}`,
      committed === undefined ? '–' : String(committed),
      String(endOffset),
      String(behind),
      oldestMs === undefined ? '–' : age(Math.max(0, nowMs - oldestMs)),
    ]),
  );
  const [first = '', ...rest] = inColumns([head, ...rows], numbers);
  terminal.print(`  ${terminal.style.dim(first)}`);
  for (const line of rest) terminal.print(`  ${line}`);
  const total = groups.flatMap(({ partitions }) => partitions).reduce((sum, found) => sum + found.lag, 0n);
  terminal.print(terminal.style.dim(`  together ${total}`));
}

function age(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
