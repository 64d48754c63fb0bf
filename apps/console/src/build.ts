import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { TidemarkError } from '@tidemark/kernel';

const consoleFolder = join(import.meta.dirname, '..');

/** Where the built web app lies. */
export const distFolder = join(consoleFolder, 'dist');

/** Everything whose change makes the built web app stale. */
const sourcePaths = ['index.html', 'package.json', 'public', 'src/web', 'vite-config.ts'];
const sharedSources = [join(consoleFolder, '../../packages/contracts/src')];

/** In `dist`: the fingerprint of the sources that it was built from. Hidden, so it is never served. */
const fingerprintName = '.sources';

/** What a call of {@link buildIfStale} did. */
export interface BuildOutcome {
  readonly built: boolean;
  readonly durationMs: number;
}

export interface BuildOptions {
  /** Where the result goes; `apps/console/dist` unless given. */
  readonly dist?: string;
}

/**
 * Builds the web app unless `dist` was built from the very sources that are there now. The result is swapped in
 * whole, so a build that is killed leaves the former one, and a server that is running never sees half of one.
 */
export async function buildIfStale(options: BuildOptions = {}): Promise<BuildOutcome> {
  const startedAt = performance.now();
  const dist = options.dist ?? distFolder;
  const fingerprint = await fingerprintOfSources();
  const built = (await fingerprintOf(dist)) !== fingerprint;
  if (built) await buildInto(dist, fingerprint);
  return { built, durationMs: Math.round(performance.now() - startedAt) };
}

async function fingerprintOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const roots = [...sourcePaths.map(path => join(consoleFolder, path)), ...sharedSources];
  for (const root of roots) {
    for (const file of await filesUnder(root)) {
      hash
        .update(relative(consoleFolder, file))
        .update('\0')
        .update(await readFile(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

/** All files under a path, in a fixed order; the path itself when it is a file. */
async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => undefined);
  if (!entries) return [path];
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort();
}

async function buildInto(dist: string, fingerprint: string): Promise<void> {
  const parent = join(dirname(dist), '.cache');
  await mkdir(parent, { recursive: true });
  const workFolder = await mkdtemp(join(parent, 'dist-'));
  await chmod(workFolder, 0o755);
  try {
    await runVite(workFolder);
    await compress(workFolder);
    await writeFile(join(workFolder, fingerprintName), fingerprint);
    await swapIn(workFolder, dist, fingerprint);
  } finally {
    await rm(workFolder, { recursive: true, force: true });
    await rmdir(parent).catch(() => {}); // another build may be at work in it
  }
}

/** Puts the result in place. Another build of the same sources may have been first, which is as good. */
async function swapIn(workFolder: string, dist: string, fingerprint: string): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  try {
    await rename(workFolder, dist);
  } catch (error) {
    if ((await fingerprintOf(dist)) !== fingerprint) throw error;
  }
}

/** What a result was built from; empty when there is none. */
function fingerprintOf(dist: string): Promise<string> {
  return readFile(join(dist, fingerprintName), 'utf8').catch(() => '');
}

/** Vite runs in a process of its own: it takes ten times the memory of the program that asked for the build. */
function runVite(outDir: string): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  const command = [
    vite,
    'build',
    '--config',
    'vite-config.ts',
    '--outDir',
    outDir,
    '--emptyOutDir',
    '--logLevel',
    'warn',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: consoleFolder, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) return resolve();
      const said = Buffer.concat(output).toString().trim();
      return reject(
        new TidemarkError('CONSOLE_BUILD_FAILED', `the console could not be built:\n${said}`, {
          hint: 'Run: npm run build -w @tidemark/console',
        }),
      );
    });
  });
}

const compressible = new Set(['.css', '.html', '.js', '.json', '.svg']);
const gzipAsync = promisify(gzip);

/** Puts a gzip copy beside each text file, so that serving costs no processor time. */
async function compress(folder: string): Promise<void> {
  const files = (await filesUnder(folder)).filter(file => compressible.has(extname(file)));
  await Promise.all(
    files.map(async file => writeFile(`${file}.gz`, await gzipAsync(await readFile(file), { level: 9 }))),
  );
}

if (import.meta.main) {
  const outcome = await buildIfStale();
  const seconds = (outcome.durationMs / 1000).toFixed(1);
  process.stdout.write(outcome.built ? `console built in ${seconds} s\n` : 'console is up to date\n');
}
