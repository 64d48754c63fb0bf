import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode, TidemarkError } from '@tidemark/kernel';

/** Where everything of one stack lies. */
export interface DataFolder {
  readonly root: string;
  readonly postgres: string;
  readonly broker: string;
  readonly logs: string;
  /** Compiled code of the services, so that a warm start need not strip types again. */
  readonly codeCache: string;
  /** What the supervisor knows of its processes. */
  readonly state: string;
  readonly lock: string;
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
    state: join(root, 'run', 'state.json'),
    lock: join(root, 'run', 'lock'),
  };
}

/**
 * Makes the folder and proves that it can be written.
 * @throws TidemarkError DATA_UNWRITABLE
 */
export async function createDataFolder(folder: DataFolder): Promise<void> {
  try {
    for (const path of [folder.root, folder.logs, dirname(folder.state)])
      await mkdir(path, { recursive: true });
    await access(folder.root, constants.W_OK);
    await writeFile(join(folder.root, 'run', 'writable'), '');
  } catch (error) {
    throw new TidemarkError(
      'DATA_UNWRITABLE',
      `the data folder ${folder.root} cannot be written (${reason(error)})`,
      {
        hint: 'Choose another one with --data DIR, or give this user the right to write there.',
      },
    );
  }
}

function reason(error: unknown): string {
  const code = errorCode(error);
  const known: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'read-only file system',
    ENOSPC: 'no space left on the disk',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a file of that name is in the way',
  };
  return known[code ?? ''] ?? code ?? String(error);
}
