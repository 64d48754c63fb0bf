import { spawn } from 'node:child_process';
import { access, chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TidemarkError } from '@tidemark/kernel';
import { findBinaries } from './binaries.ts';
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

/**
 * Creates the cluster if it is not there, and says how to start its server. A server that a killed supervisor left
 * running on the folder is stopped.
 */
export async function prepareCluster(options: ClusterOptions): Promise<LaunchSpec> {
  const user = await unprivilegedUser();
  const found = await findBinaries();
  const binaries = user ? await reachableBinaries(user, found) : found;
  const dataDir = user ? await ownedDataDir(user, options.dataDir) : options.dataDir;
  await stopStrayServer(dataDir);
  const initialised = !(await isInitialised(dataDir));
  if (initialised) await initialise(binaries.initdb, dataDir, user, options);
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

/** Initialises beside the final folder and renames, so that a kill half way leaves nothing that looks like a cluster. */
async function initialise(
  initdb: string,
  dataDir: string,
  user: UnprivilegedUser | undefined,
  options: ClusterOptions,
): Promise<void> {
  await mkdir(dirname(dataDir), { recursive: true });
  const partial = `${dataDir}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  const secrets = await mkdtemp(`${dataDir}.secret-`);
  const passwordFile = join(secrets, 'password');
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (user) {
    for (const path of [partial, secrets, passwordFile]) await chown(path, user.uid, user.gid);
  }
  try {
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', `--username=${options.user}`];
    if (options.throwAway) flags.push('--no-sync');
    await run(initdb, [...flags, `--pwfile=${passwordFile}`, `--pgdata=${partial}`], partial, user);
    await rm(dataDir, { recursive: true, force: true });
    await rename(partial, dataDir);
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
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
