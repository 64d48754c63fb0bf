import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '@tidemark/kernel';

/**
 * Stops a server that still runs on a data folder although whoever started it is gone. PostgreSQL writes the id of
 * its main process into the first line of `postmaster.pid` (PostgreSQL docs, chapter "Database File Layout").
 * @returns whether there was one
 */
export async function stopStrayServer(dataDir: string): Promise<boolean> {
  const pid = await postmasterPid(dataDir);
  if (pid === undefined || !(await isPostgresOf(pid, dataDir))) return false;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; await isPostgresOf(pid, dataDir); waited += 20) {
    if (waited === 5000) process.kill(pid, 'SIGQUIT');
    await delay(20);
  }
  return true;
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

/** The process id may long belong to somebody else; the working directory of a server is its data folder. */
async function isPostgresOf(pid: number, dataDir: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return commandLine.includes('postgres') && commandLine.split('\0').includes(dataDir);
  } catch (error) {
    // Without /proc (macOS) the id has to do: PostgreSQL itself trusts it in the same way.
    if (errorCode(error) === 'ENOENT') return process.platform !== 'linux' && isAlive(pid);
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
