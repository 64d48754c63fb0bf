import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { systemClock } from '@tidemark/kernel';
import { run } from '../src/programs.ts';

/** Where fetched things stay between runs: `TIDEMARK_CACHE`, or `.cache` in the repository. */
const cacheFolder = process.env['TIDEMARK_CACHE'] || fileURLToPath(new URL('../../.cache/', import.meta.url));

/** How often a download is tried, and the pause between two tries. */
const attempts = 3;
const pauseMs = 3000;

/**
 * A folder of fetched things. `make` fills it, once; a folder that was not finished is never seen by anybody.
 * @param name what it holds
 * @param recipe file that says what is fetched; when it changes, the folder is made anew
 */
export async function cached(
  name: string,
  recipe: string | URL,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const version = createHash('sha256')
    .update(await readFile(recipe))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder, `${name}-${version}`);
  if (await exists(folder)) return folder;
  const unfinished = `${folder}.unfinished-${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    await make(unfinished);
    // Another run may have finished the same folder meanwhile; then its copy serves as well.
    await rename(unfinished, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function exists(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined))?.isDirectory() ?? false;
}

/** Runs a program that downloads; a network that fails for a moment is given another chance. */
export async function download(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { code, stdout, stderr } = await run(command, args, { ...options, withinMs: 300_000 });
    if (code === 0) return;
    const reason = `${command} ended with ${code}: ${reasonIn(stdout + stderr)}`;
    if (attempt === attempts) throw new Error(reason);
    process.stderr.write(`  download failed, trying again (${reason})\n`);
    await systemClock.sleep(pauseMs);
  }
}

/** The line that says what went wrong, without the pages and colours that build tools print around it. */
function reasonIn(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
  return (lines.find(line => /error|failed|refused|could not/i.test(line)) ?? lines.at(-1) ?? '').slice(
    0,
    300,
  );
}
