import { execFileSync, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '@tidemark/embedded-postgres';
import { endProcess, eventually } from '@tidemark/testkit';
import { Client, type QueryResultRow } from 'pg';
import { findProgram } from '../../src/programs.ts';

/** A PostgreSQL of the machine, in a cluster of the test's own. */
export interface MachinePostgres {
  readonly url: string;
  readonly version: string;
  query<Row extends QueryResultRow>(sql: string): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Starts the PostgreSQL that Debian's packages brought; as the user `postgres` when we are root. */
export async function startMachinePostgres(): Promise<MachinePostgres> {
  const bin = dirname(findProgram('initdb') ?? '/usr/lib/postgresql/15/bin/initdb');
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-debian-'));
  const data = join(folder, 'data');
  const user = process.getuid?.() === 0 ? postgresUser() : undefined;
  await chmod(folder, 0o755);
  await mkdir(data, { mode: 0o700 });
  if (user !== undefined) await chown(data, user.uid, user.gid);
  const options = { ...user, cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'tidemark', '-A', 'trust', '-E', 'UTF8', '-N'], {
    ...options,
    stdio: 'ignore',
  });
  const port = await freePort('127.0.0.1');
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    wal_level: 'logical',
    fsync: 'off',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...args], { ...options, stdio: 'ignore' });
  const kill = () => server.kill('SIGQUIT');
  process.once('exit', kill);
  const url = `postgres://tidemark:unused@127.0.0.1:${port}/postgres`;
  const query = async <Row extends QueryResultRow>(sql: string) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const stop = async () => {
    process.off('exit', kill);
    await endProcess(server, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [row] = await eventually('the server answers', () =>
      query<{ version: string }>('SHOW server_version'),
    );
    return { url, version: row?.version ?? '', query, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function postgresUser(): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
