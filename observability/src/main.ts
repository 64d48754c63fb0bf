import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isTidemarkError } from '@tidemark/kernel';
import { generate, pages } from './generate.ts';
import { settingsFrom, usage } from './options.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Writes what is generated, or with `--check` says which files are not what they would be written as. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) return say(usage);
  const { settings, out, check } = settingsFrom(args);
  const files =
    out === undefined ? { ...prefixed(generate(settings), 'observability'), ...pages() } : generate(settings);
  const root = out ?? repository;
  if (!check) {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    return say(`wrote ${Object.keys(files).length} files below ${root}`);
  }
  const stale: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    if ((await readFile(join(root, path), 'utf8').catch(() => undefined)) !== text) stale.push(path);
  }
  if (stale.length === 0) return say('everything is current');
  process.stderr.write(`not current: ${stale.join(', ')}\nRun \`node observability/src/main.ts\`.\n`);
  return 1;
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function prefixed(files: Readonly<Record<string, string>>, folder: string): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!isTidemarkError(error)) throw error;
  process.stderr.write(`${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 2;
}
