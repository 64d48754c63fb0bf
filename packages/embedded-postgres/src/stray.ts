import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorCode, TidemarkError } from '@tidemark/kernel';

/** When a server that was asked to stop is told to stop at once, and when it is given up, milliseconds. */
const patience = { fastMs: 5000, immediateMs: 15_000 } as const;
const lookEveryMs = 20;

/**
 * Stops a server that still runs on a data folder although whoever started it is gone. PostgreSQL writes the id of
 * its main process into the first line of `postmaster.pid` (PostgreSQL docs, chapter "Database File Layout").
 * @returns whether there was one
 * @throws TidemarkError POSTGRES_WILL_NOT_STOP
 */
export async function stopStrayServer(dataDir: string): Promise<boolean> {
  const pid = await postmasterPid(dataDir);
  if (pid === undefined || !(await isPostgresOf(pid, dataDir))) return false;
  process.kill(pid, 'SIGINT');
  for (let waitedMs = 0; await isPostgresOf(pid, dataDir); waitedMs += lookEveryMs) {
    if (waitedMs === patience.fastMs) process.kill(pid, 'SIGQUIT');
    if (waitedMs >= patience.immediateMs) throw willNotStop(pid, dataDir);
    await delay(lookEveryMs);
  }
  return true;
}

function willNotStop(pid: number, dataDir: string): TidemarkError {
  return new TidemarkError('POSTGRES_WILL_NOT_STOP', `an earlier PostgreSQL on ${dataDir} does not stop`, {
    hint: `End it with \`kill -9 ${pid}\` and start again.`,
    facts: { pid },
  });
}

async function postmasterPid(dataDir: string): Promise<number | undefined> {
  try {
    const pid = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The process id may long belong to somebody else; a server has its data folder among its arguments. */
async function isPostgresOf(pid: number, dataDir: string): Promise<boolean> {
  const command = (await commandLine(pid)).replaceAll('\0', ' ');
  return command.includes('postgres') && `${command.trim()} `.includes(` -D ${dataDir} `);
}

/** Empty when there is no such process, or none that we may look at. */
async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return (await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
}
