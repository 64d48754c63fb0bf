import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Folders beside a data folder in which a cluster is initialised start with this path. */
export function scratchPrefix(dataDir: string): string {
  return `${dataDir}.partial-`;
}

/** Removes what killed initialisations left behind; an initdb that outlived its parent may still write there. */
export async function removeScratch(dataDir: string): Promise<void> {
  const prefix = basename(scratchPrefix(dataDir));
  const names = await readdir(dirname(dataDir)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    await rm(join(dirname(dataDir), name), { recursive: true, force: true, maxRetries: 5 });
  }
}
