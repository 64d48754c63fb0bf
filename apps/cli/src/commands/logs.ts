import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode, exitCodes, systemClock, TidemarkError } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import { LogFollower } from '../log-reader/log-follower.ts';
import { viewStack } from './stack-command.ts';

const followEveryMs = 200;
const linesMax = 1_000_000;

/** Shows what the services wrote. */
export const logs: Command = {
  name: 'logs',
  positionals: ['[SERVICE]'],
  summary: 'show the last log lines of all services or of one',
  options: {
    follow: { type: 'boolean', short: 'f', doc: 'go on showing new lines' },
    lines: {
      type: 'string',
      short: 'n',
      value: 'N',
      doc: 'lines per service (default 20, 200 for one service)',
    },
    data: dataOption,
  },
  async run(input, { terminal, interrupted }) {
    const { folder } = await viewStack(input);
    const wanted = input.positionals[0];
    const count = input.integer('lines', wanted === undefined ? 20 : 200, linesMax);
    const show = (name: string, lines: readonly string[]) => {
      const label = wanted === undefined ? `${name.padEnd(10)} ` : '';
      for (const line of lines) terminal.print(label + line);
    };
    const followers = new Map<string, LogFollower>();
    for (const name of await logNames(folder.logs, wanted)) {
      const follower = new LogFollower(join(folder.logs, `${name}.log`));
      followers.set(name, follower);
      show(name, await follower.tail(count));
    }
    while (input.flag('follow') && !interrupted.aborted) {
      await systemClock.sleep(followEveryMs, interrupted).catch(() => {});
      if (wanted === undefined) await addNew(folder.logs, followers);
      for (const [name, follower] of followers) {
        for await (const lines of follower.added()) show(name, lines);
      }
    }
    for (const follower of followers.values()) await follower.close();
    return exitCodes.ok;
  },
};

/** A service that was started after us is shown from its first line. */
async function addNew(folder: string, followers: Map<string, LogFollower>): Promise<void> {
  for (const name of await listLogs(folder)) {
    if (!followers.has(name)) followers.set(name, new LogFollower(join(folder, `${name}.log`)));
  }
}

/** Names of the services whose logs are wanted. */
async function logNames(folder: string, wanted: string | undefined): Promise<readonly string[]> {
  const names = await listLogs(folder);
  if (names.length === 0) {
    throw new TidemarkError('NO_LOGS', `there are no logs in ${folder}`, {
      hint: 'Start the stack with `tidemark up`, or name its folder with --data DIR.',
    });
  }
  if (wanted === undefined) return names;
  if (names.includes(wanted)) return [wanted];
  throw new TidemarkError('SERVICE_UNKNOWN', `${wanted} has no log`, {
    hint: `There are logs of ${names.join(', ')}.`,
  });
}

async function listLogs(folder: string): Promise<readonly string[]> {
  try {
    const files = await readdir(folder);
    return files
      .filter(file => file.endsWith('.log'))
      .map(file => basename(file, '.log'))
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
