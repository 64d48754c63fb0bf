import { spawn } from 'node:child_process';
import { access, chown, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import { findBinaries } from './binaries.ts';
import { removeScratch, scratchPrefix } from './scratch.ts';
import { stopStrayServer } from './stray.ts';
import { ownedDataDir, reachableBinaries, type UnprivilegedUser, unprivilegedUser } from './unprivileged.ts';

export interface ClusterOptions {
  /** Folder of the database files; created on first use. */
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** Superuser made by the first initialisation. */
  readonly user: string;
  readonly password: string;
  /** Server settings beside {@link baseSettings}, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Skips flushing after initialisation; for clusters that nobody will miss. */
  readonly throwAway?: boolean;
}

/** How to start the server of a cluster that is ready to be started. */
export interface LaunchSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly user: UnprivilegedUser | undefined;
  /** True when this call created the cluster. */
  readonly initialised: boolean;
}

/**
 * Settings that every cluster gets: logical decoding for capture, one loopback listener and no socket files, a
 * bound on the log that a forgotten replication slot may keep, and memory for a laptop.
 */
export const baseSettings: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  max_wal_senders: '16',
  max_replication_slots: '16',
  max_slot_wal_keep_size: '4GB',
  unix_socket_directories: '',
  shared_buffers: '64MB',
  max_connections: '100',
  io_workers: '1',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** PostgreSQL needs nothing of our environment, and PG* variables in it would mislead it. */
export const serverEnvironment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' } as const;

/**
 * Creates the cluster if it is not there, and says how to start its server. A server that a killed supervisor left
 * running on the folder is stopped.
 */
export async function prepareCluster(options: ClusterOptions): Promise<LaunchSpec> {
  const user = await unprivilegedUser(await ownerOf(options.dataDir));
  const found = await findBinaries();
  const binaries = user ? await reachableBinaries(user, found) : found;
  const dataDir = user ? await ownedDataDir(user, options.dataDir) : options.dataDir;
  await stopStrayServer(dataDir);
  const initialised = !(await isInitialised(dataDir));
  if (initialised) await initialise(binaries.initdb, dataDir, user, options);
  await refuseOtherOwner(dataDir, user);
  const settings = {
    ...baseSettings,
    ...options.settings,
    listen_addresses: options.host,
    port: String(options.port),
  };
  return {
    command: binaries.postgres,
    args: ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: dataDir,
    user,
    initialised,
  };
}

async function isInitialised(dataDir: string): Promise<boolean> {
  return access(join(dataDir, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/**
 * Initialises in a scratch folder of its own and renames, so that a kill half way leaves nothing that looks like a
 * cluster, and an initdb that outlived its parent writes where nobody looks. Of two that do this at once, the first
 * to finish has made the cluster of both.
 */
async function initialise(
  initdb: string,
  dataDir: string,
  user: UnprivilegedUser | undefined,
  options: ClusterOptions,
): Promise<void> {
  await mkdir(dirname(dataDir), { recursive: true });
  const present = await readdir(dataDir).catch(() => []);
  if (present.length > 0 && !(await isInitialised(dataDir))) throw foreignData(dataDir);
  const scratch = await mkdtemp(scratchPrefix(dataDir));
  const [partial, passwordFile] = [join(scratch, 'data'), join(scratch, 'password')];
  try {
    await mkdir(partial, { mode: 0o700 });
    await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
    if (user) {
      for (const path of [scratch, partial, passwordFile]) await chown(path, user.uid, user.gid);
    }
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${options.user}`];
    if (options.throwAway) flags.push('--no-sync');
    await run(initdb, [...flags, `--pwfile=${passwordFile}`, `--pgdata=${partial}`], scratch, user);
    await putInPlace(partial, dataDir);
  } catch (error) {
    // Whoever finished first tidied our folder away.
    if (!(await isInitialised(dataDir))) throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  await removeScratch(dataDir);
}

/** rename(2) takes the place of an empty folder, and of no other. */
async function putInPlace(partial: string, dataDir: string): Promise<void> {
  try {
    await rename(partial, dataDir);
  } catch (error) {
    throw errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST' ? foreignData(dataDir) : error;
  }
}

function foreignData(dataDir: string): TidemarkError {
  return new TidemarkError('POSTGRES_DATA_FOREIGN', `${dataDir} holds files, but no database`, {
    hint: 'Move them away, or choose another data folder.',
  });
}

/** The user whom the files of the cluster belong to; undefined before there are any. */
async function ownerOf(dataDir: string): Promise<number | undefined> {
  return stat(dataDir).then(
    ({ uid }) => uid,
    () => undefined,
  );
}

/**
 * PostgreSQL serves only files of the user it runs as (PostgreSQL docs, "Creating a Database Cluster"). Files of
 * somebody else are the sign of a stack that was first started under another user.
 */
async function refuseOtherOwner(dataDir: string, user: UnprivilegedUser | undefined): Promise<void> {
  const wanted = user?.uid ?? process.getuid?.();
  const uid = await ownerOf(dataDir);
  if (wanted === undefined || uid === wanted) return;
  throw new TidemarkError(
    'POSTGRES_OTHER_OWNER',
    `the database in ${dataDir} belongs to another user (id ${uid})`,
    {
      hint: 'Start Tidemark as the user who started it first, or choose another data folder.',
      facts: { owner: uid, wanted },
    },
  );
}

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  user: UnprivilegedUser | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: serverEnvironment,
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) resolve();
      else reject(initialisationFailed(output));
    });
  });
}

function initialisationFailed(output: string): TidemarkError {
  const reason =
    output.split('\n').findLast(line => line.includes('error:') || line.includes('FATAL')) ?? output.trim();
  return new TidemarkError('POSTGRES_INITDB_FAILED', `PostgreSQL could not be initialised: ${reason}`, {
    hint: 'Check that the data folder is writable and that its disk has room (about 60 MB).',
  });
}
