import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import { isStorageFailure } from './storage-failure.ts';

/** Holds a data folder for one process. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process. The lock file names its owner by process id and start time, so that what a
 * killed broker left behind does not stop the next one, even when its id was given to another process.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await makeWritable(folder);
  const path = join(folder, 'broker.lock');
  const mine = await identityOf(process.pid);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (await createLock(path, mine)) return { release: () => rm(path, { force: true }) };
    const owner = await readFile(path, 'utf8').catch(() => '');
    const pid = Number.parseInt(owner, 10);
    if (isAlive(pid) && (await identityOf(pid)) === owner) throw inUse(folder, pid);
    await rm(path, { force: true });
  }
  throw inUse(folder, 0);
}

function inUse(folder: string, pid: number): TidemarkError {
  return new TidemarkError('BROKER_DATA_IN_USE', `the data folder ${folder} is in use by another broker`, {
    hint: 'Stop the other broker, or give this one a folder of its own.',
    facts: { folder, pid },
  });
}

async function makeWritable(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const probe = join(folder, '.writable');
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** A folder that refuses to be written to, whatever was to be written. */
export function unwritable(folder: string, cause: unknown): TidemarkError {
  const reason = errorCode(cause) === 'ENOSPC' ? ': the disk is full' : '';
  return new TidemarkError(
    'BROKER_DATA_UNWRITABLE',
    `the data folder ${folder} cannot be written to${reason}`,
    {
      cause,
      hint:
        reason === ''
          ? 'Choose another folder or change its permissions.'
          : 'Make room, or choose another folder.',
      facts: { folder },
    },
  );
}

async function createLock(path: string, content: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    await rm(path, { force: true });
    throw isStorageFailure(error) ? unwritable(dirname(path), error) : error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** "pid start-time" where the system tells when a process started (field 22 of /proc/pid/stat), otherwise "pid". */
async function identityOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return started === undefined ? String(pid) : `${pid} ${started}`;
}
