import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** The right to run a stack on a data folder. */
export interface StackLock {
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process. A lock whose holder is gone, as after kill -9, is taken over.
 *
 * Each holder writes a generation of the lock, `lock.1`, `lock.2`, …, and the highest one counts. To take over a dead
 * generation is to create the next one, which the file system lets one process do; deleting the dead one and creating
 * it again would let two of them believe that they did it.
 * @throws TidemarkError STACK_RUNNING
 */
export async function takeStackLock(file: string): Promise<StackLock> {
  const own = await identify(process.pid);
  // A generation appears with its content in one step: a reader never meets an empty one.
  const prepared = `${file}-${process.pid}`;
  await writeFile(prepared, JSON.stringify(own));
  try {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const taken = await tryToTake(file, prepared);
      if (taken) return taken;
    }
    throw alreadyRunning(undefined);
  } finally {
    await rm(prepared, { force: true });
  }
}

/** Who runs a stack on the data folder, if anybody does. */
export async function stackHolder(file: string): Promise<ProcessIdentity | undefined> {
  const highest = (await generations(file)).at(-1);
  const holder = highest === undefined ? undefined : await readHolder(`${file}.${highest}`);
  return holder && (await isRunning(holder)) ? holder : undefined;
}

/** Undefined when somebody else was quicker and the question who holds the lock has to be asked again. */
async function tryToTake(file: string, prepared: string): Promise<StackLock | undefined> {
  const before = await generations(file);
  const holder = await stackHolder(file);
  if (holder) throw alreadyRunning(holder.pid);
  const own = (before.at(-1) ?? 0) + 1;
  if (!(await tryLink(prepared, `${file}.${own}`))) return undefined;
  const after = await generations(file);
  if (after.at(-1) !== own) {
    // Later generations came and went while we looked, and ours is one that had been tidied away.
    await rm(`${file}.${own}`, { force: true });
    return undefined;
  }
  for (const old of after.slice(0, -1)) await rm(`${file}.${old}`, { force: true });
  // The file stays, marked as left, so that the numbers never fall back. Where that cannot be written, or the folder
  // was deleted, the end of this process says the same.
  return { release: () => writeFile(`${file}.${own}`, released).catch(() => {}) };
}

const released = 'null';

/** The numbers of the lock's files, lowest first. */
async function generations(file: string): Promise<readonly number[]> {
  const prefix = `${basename(file)}.`;
  const names = await readdir(dirname(file)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  });
  return names
    .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(name => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
}

async function tryLink(prepared: string, file: string): Promise<boolean> {
  try {
    await link(prepared, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(file: string): Promise<ProcessIdentity | undefined> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity | null) ?? undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function alreadyRunning(pid: number | undefined): TidemarkError {
  const who = pid === undefined ? '' : ` (process ${pid})`;
  return new TidemarkError('STACK_RUNNING', `a stack is already running on this data folder${who}`, {
    hint: 'See `tidemark status`, stop it with `tidemark down`, or start another one with --data DIR --port-offset 100.',
  });
}
