import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  access,
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  rmdir,
  symlink,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TidemarkError } from '@tidemark/kernel';
import type { PostgresBinaries } from './binaries.ts';
import { removeScratch } from './scratch.ts';

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
 * @param owner id of the user whom the data belongs to: the one of the two that it is keeps it, also when a
 *   `postgres` comes to the machine later
 */
export async function unprivilegedUser(owner?: number): Promise<UnprivilegedUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'));
  const users = ['postgres', 'nobody'].flatMap(wanted => {
    const account = accounts.find(([name]) => name === wanted);
    return account ? [{ name: wanted, uid: Number(account[2]), gid: Number(account[3]) }] : [];
  });
  const user = users.find(({ uid }) => uid === owner) ?? users[0];
  if (user) return user;
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
  const home = join(relocationRoot, `postgres-${fingerprint(`${binaries.home}\0${binaries.version}`)}`);
  const copy = {
    ...binaries,
    home,
    initdb: join(home, 'bin', 'initdb'),
    postgres: join(home, 'bin', 'postgres'),
  };
  if (await exists(copy.postgres)) return copy;
  await makeRelocationRoot();
  const partial = await mkdtemp(`${home}.partial-`);
  try {
    await cp(binaries.home, partial, { recursive: true, verbatimSymlinks: true });
    await chmod(partial, 0o755);
    await rename(partial, home);
  } catch (error) {
    if (!(await exists(copy.postgres))) throw error; // else somebody else made the same copy meanwhile
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return copy;
}

/** Open to every user, whatever the umask is. */
async function makeRelocationRoot(): Promise<void> {
  await mkdir(relocationRoot, { recursive: true });
  await chmod(relocationRoot, 0o755);
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
  await makeRelocationRoot();
  if (!link?.isSymbolicLink()) {
    if (link && !(await removedEmpty(wanted))) throw closedFolder(user, wanted);
    await symlink(home, wanted);
  }
  return home;
}

async function removedEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

/** Serving an empty database from elsewhere would look like the loss of the one that lies here. */
function closedFolder(user: UnprivilegedUser, wanted: string): TidemarkError {
  return new TidemarkError(
    'POSTGRES_OTHER_OWNER',
    `the database in ${wanted} is closed to the user ${user.name}`,
    {
      hint: 'Start Tidemark as the user who started it first, or choose another data folder.',
    },
  );
}

/** Removes a data folder, also when it was relocated. */
export async function removeDataDir(wanted: string): Promise<void> {
  const link = await lstat(wanted).catch(() => undefined);
  if (link?.isSymbolicLink()) {
    const home = join(relocationRoot, `data-${fingerprint(resolve(wanted))}`);
    await rm(home, { recursive: true, force: true });
    await removeScratch(home);
  }
  await removeScratch(wanted);
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
