import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, TidemarkError } from '@tidemark/kernel';

/** Where everything of one stack lies. */
export interface DataFolder {
  readonly root: string;
  readonly postgres: string;
  readonly broker: string;
  readonly logs: string;
  /** Compiled code of the services, so that a warm start need not strip types again. */
  readonly codeCache: string;
  /** What belongs to the run that is under way. */
  readonly run: string;
  /** What the supervisor knows of its processes. */
  readonly state: string;
  readonly lock: string;
  /** What seals the credentials that capture keeps in the database of this folder. */
  readonly captureSecret: string;
  /** Tells that the folder is a stack's, to people and to `tidemark reset`. */
  readonly marker: string;
}

/** Name of the folder below the working directory when `--data` does not say otherwise. */
export const defaultDataFolder = '.tidemark';

export function dataFolder(path: string): DataFolder {
  const root = resolve(path);
  return {
    root,
    postgres: join(root, 'postgres'),
    broker: join(root, 'broker'),
    logs: join(root, 'logs'),
    codeCache: join(root, 'cache'),
    run: join(root, 'run'),
    state: join(root, 'run', 'state.json'),
    lock: join(root, 'run', 'lock'),
    captureSecret: join(root, 'capture-secret.txt'),
    marker: join(root, 'tidemark-data.txt'),
  };
}

const markerText =
  'This folder holds the data of a Tidemark stack. `tidemark reset --data DIR` deletes it.\n';

/** More than a file system keeps inside a directory entry, so that a full disk is noticed, bytes. */
const trialBytes = 16 * 1024;

/**
 * Makes the folder and proves that it can be written.
 * @throws TidemarkError DATA_UNWRITABLE, DATA_NOT_OURS
 */
export async function createDataFolder(folder: DataFolder): Promise<void> {
  try {
    await makeFolder(folder.root);
    await refuseForeign(folder);
    for (const path of [folder.logs, folder.run]) await makeFolder(path);
    await writeFile(folder.marker, markerText);
    const trial = join(folder.run, `trial-${process.pid}`);
    await writeFile(trial, Buffer.alloc(trialBytes));
    await rm(trial);
  } catch (error) {
    throw error instanceof TidemarkError ? error : unwritable(folder, error);
  }
}

/**
 * Makes a folder and those above it. Node's own `recursive` never returns where a file system answers ENOENT to
 * mkdir in a folder that exists, as /proc does.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

/** Only a folder that a stack made is ever deleted, so that a mistyped --data costs nothing. */
export async function isDataFolder(folder: DataFolder): Promise<boolean> {
  const marker = await stat(folder.marker).catch(() => undefined);
  return marker?.isFile() === true;
}

/**
 * A folder in which somebody keeps something else is no place for a database. Judged by one listing: another start on
 * the same folder may put the marker there between two looks.
 */
async function refuseForeign(folder: DataFolder): Promise<void> {
  const names = await readdir(folder.root);
  if (names.includes(basename(folder.marker))) return;
  const parts = [
    folder.postgres,
    folder.broker,
    folder.logs,
    folder.codeCache,
    folder.run,
    folder.captureSecret,
  ];
  const ours = parts.map(path => basename(path));
  const foreign = names.find(name => !ours.includes(name));
  if (foreign === undefined) return;
  throw new TidemarkError('DATA_NOT_OURS', `${folder.root} holds other things than a stack (${foreign})`, {
    hint: 'Name an empty or a new folder with --data DIR.',
  });
}

function unwritable(folder: DataFolder, error: unknown): TidemarkError {
  return new TidemarkError(
    'DATA_UNWRITABLE',
    `the data folder ${folder.root} cannot be written (${reason(error)})`,
    {
      hint: 'Choose another one with --data DIR, or give this user the right to write there.',
    },
  );
}

function reason(error: unknown): string {
  const code = errorCode(error);
  const known: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'read-only file system',
    ENOSPC: 'no space left on the disk',
    EDQUOT: 'the disk quota is used up',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a file of that name is in the way',
    ENOENT: 'its parent folder does not take new folders',
    ENAMETOOLONG: 'the path is too long',
  };
  return known[code ?? ''] ?? code ?? String(error);
}
