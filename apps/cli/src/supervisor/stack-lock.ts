import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** The right to run a stack on a data folder. */
export interface StackLock {
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process. A lock whose holder is gone, as after kill -9, is taken over.
 * @throws TidemarkError STACK_RUNNING
 */
export async function takeStackLock(file: string): Promise<StackLock> {
  const own = await identify(process.pid);
  // The lock appears with its content in one step: a reader never meets an empty one.
  const prepared = `${file}.${process.pid}`;
  await writeFile(prepared, JSON.stringify(own));
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (await tryLink(prepared, file)) return { release: () => rm(file, { force: true }) };
      const holder = await readHolder(file);
      if (holder && (await isRunning(holder))) throw alreadyRunning(holder.pid);
      await rm(file, { force: true });
    }
    throw alreadyRunning(undefined);
  } finally {
    await rm(prepared, { force: true });
  }
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
    return JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity;
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
