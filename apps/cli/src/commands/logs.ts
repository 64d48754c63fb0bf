import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode, exitCodes, systemClock, TidemarkError } from '@tidemark/kernel';
import { type Command, dataOption } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { viewStack } from './stack-command.ts';

/** How much of a file's end is looked at for its last lines, bytes. */
const tailBytes = 256 * 1024;
const followEveryMs = 200;

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
    const files = await logFiles(folder.logs, wanted);
    const count = input.integer('lines', wanted === undefined ? 20 : 200);
    const label = (file: string) => (wanted === undefined ? `${basename(file, '.log').padEnd(10)} ` : '');
    const positions = new Map<string, number>();
    for (const file of files) {
      const { lines, end } = await lastLines(file, count);
      for (const line of lines) terminal.print(label(file) + line);
      positions.set(file, end);
    }
    while (input.flag('follow') && !interrupted.aborted) {
      for (const file of files) await showNew(file, positions, label(file), terminal);
      await systemClock.sleep(followEveryMs, interrupted).catch(() => {});
    }
    return exitCodes.ok;
  },
};

async function logFiles(folder: string, wanted: string | undefined): Promise<readonly string[]> {
  const names = (await listFolder(folder)).filter(name => name.endsWith('.log')).sort();
  if (names.length === 0) {
    throw new TidemarkError('NO_LOGS', `there are no logs in ${folder}`, {
      hint: 'Start the stack with `tidemark up`, or name its folder with --data DIR.',
    });
  }
  if (wanted === undefined) return names.map(name => join(folder, name));
  if (!names.includes(`${wanted}.log`)) {
    throw new TidemarkError('SERVICE_UNKNOWN', `${wanted} has no log`, {
      hint: `There are logs of ${names.map(name => basename(name, '.log')).join(', ')}.`,
    });
  }
  return [join(folder, `${wanted}.log`)];
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function lastLines(file: string, count: number): Promise<{ lines: readonly string[]; end: number }> {
  const { size } = await stat(file);
  const text = await readRange(file, Math.max(0, size - tailBytes), size);
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = complete.split('\n').slice(0, -1);
  return {
    lines: lines.slice(Math.max(0, lines.length - count)),
    end: size - Buffer.byteLength(text.slice(complete.length)),
  };
}

/** Prints the full lines that were added; a file that became shorter was set aside and begins anew. */
async function showNew(
  file: string,
  positions: Map<string, number>,
  label: string,
  terminal: Terminal,
): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  const from = positions.get(file) ?? 0;
  const start = size < from ? 0 : from;
  if (size === start) return;
  const text = await readRange(file, start, size);
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  positions.set(file, start + Buffer.byteLength(complete));
  for (const line of complete.split('\n').slice(0, -1)) terminal.print(label + line);
}

async function readRange(file: string, start: number, end: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}
