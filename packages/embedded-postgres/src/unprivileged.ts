import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chown, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TidemarkError } from '@tidemark/kernel';
import type { PostgresBinaries } from './binaries.ts';

/** An operating-system user that PostgreSQL runs as. */
export interface UnprivilegedUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Folder for what the unprivileged user must reach when our own folders are closed to it, as under /root. */
const relocationRoot = '/var/lib/tidemark';

/**
 * PostgreSQL refuses to run as root. Under root it therefore runs as `postgres` where that user exists, else as
 * `nobody`; an ordinary user runs it as itself (undefined).
 */
export async function unprivilegedUser(): Promise<UnprivilegedUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const account = accounts.find(([name]) => name === wanted);
    if (account) return { name: wanted, uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new TidemarkError(
    'POSTGRES_NEEDS_USER',
    'PostgreSQL does not run as root, and this machine has no other user',
    {
      hint: 'Create one with `useradd --system postgres`, or start Tidemark as an ordinary user.',
    },
  );
}

/** True when the user may enter every folder on the way and read the file. */
export function canReach(user: UnprivilegedUser, path: string): boolean {
  const probe = spawnSync('/bin/sh', ['-c', 'test -r "$1" && test -x "$1"', 'sh', path], {
    uid: user.uid,
    gid: user.gid,
    cwd: '/',
  });
  return probe.status === 0;
}

/** Binaries that the user can run: these, or a copy below {@link relocationRoot} when these lie in a closed folder. */
export async function reachableBinaries(
  user: UnprivilegedUser,
  binaries: PostgresBinaries,
): Promise<PostgresBinaries> {
  if (canReach(user, binaries.postgres)) return binaries;
  const home = join(relocationRoot, `postgres-${fingerprint(binaries.home)}`);
  const copy = { home, initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') };
  if (!(await exists(copy.postgres))) {
    const partial = `${home}.partial-${process.pid}`;
    await cp(binaries.home, partial, { recursive: true, verbatimSymlinks: true });
    await rename(partial, home);
  }
  return copy;
}

/**
 * The data folder, owned by the user. When the wanted folder lies where the user cannot go, the data lives below
 * {@link relocationRoot} and the wanted folder is a link to it.
 */
export async function ownedDataDir(user: UnprivilegedUser, wanted: string): Promise<string> {
  await mkdir(dirname(wanted), { recursive: true });
  const link = await lstat(wanted).catch(() => undefined);
  if (!link?.isSymbolicLink() && canReach(user, dirname(resolve(wanted)))) return wanted;
  const home = join(relocationRoot, `data-${fingerprint(resolve(wanted))}`);
  await mkdir(relocationRoot, { recursive: true, mode: 0o755 });
  if (!link) await symlink(home, wanted);
  return home;
}

/** Gives the folder and everything in it to the user. */
export async function giveTo(user: UnprivilegedUser, folder: string): Promise<void> {
  await chown(folder, user.uid, user.gid);
  for (const entry of await readdir(folder, { recursive: true })) {
    await chown(join(folder, entry), user.uid, user.gid);
  }
}

/** Removes a data folder, also when it was relocated. */
export async function removeDataDir(wanted: string): Promise<void> {
  const link = await lstat(wanted).catch(() => undefined);
  if (link?.isSymbolicLink()) {
    await rm(join(relocationRoot, `data-${fingerprint(resolve(wanted))}`), { recursive: true, force: true });
  }
  await rm(wanted, { recursive: true, force: true });
}

function fingerprint(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
