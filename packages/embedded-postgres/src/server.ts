import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { TidemarkError } from '@tidemark/kernel';
import { type ClusterOptions, type LaunchSpec, prepareCluster } from './cluster.ts';

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Connection URL of a database on this server. */
  url(database: string): string;
  /**
   * `fast` rolls open transactions back and writes a checkpoint; `immediate` is what a crash looks like.
   * Safe to call twice.
   */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

export type PostgresServerOptions = Omit<ClusterOptions, 'host' | 'port' | 'user' | 'password'> &
  Partial<Pick<ClusterOptions, 'host' | 'port' | 'user' | 'password'>>;

/** Default superuser of embedded clusters; they listen on loopback only. */
export const embeddedUser = { user: 'tidemark', password: 'tidemark' } as const;

/** Starts a PostgreSQL server of its own, and resolves when it accepts connections. Port 0 picks a free one. */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const host = options.host ?? '127.0.0.1';
  const port = options.port || (await freePort(host));
  const credentials = {
    user: options.user ?? embeddedUser.user,
    password: options.password ?? embeddedUser.password,
  };
  const spec = await prepareCluster({ ...options, ...credentials, host, port });
  const child = launch(spec);
  await acceptsConnections(child);
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  return {
    host,
    port,
    pid: child.pid ?? 0,
    url: database => `postgres://${credentials.user}:${credentials.password}@${host}:${port}/${database}`,
    async stop(mode = 'fast') {
      // Signals of postgres(1): SIGINT is a fast shutdown, SIGQUIT an immediate one.
      if (child.exitCode === null && child.signalCode === null)
        child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await exited;
    },
  };
}

function launch(spec: LaunchSpec): ChildProcess {
  return spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(spec.user ? { uid: spec.user.uid, gid: spec.user.gid } : {}),
  });
}

function acceptsConnections(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const log: string[] = [];
    const lines = createInterface({ input: child.stderr ?? process.stdin });
    lines.on('line', line => {
      if (log.length < 50) log.push(line);
      if (line.includes('database system is ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => {
      reject(
        new TidemarkError('POSTGRES_DIED', `PostgreSQL ended while starting: ${log.slice(-3).join(' ')}`),
      );
    });
  });
}

/** A port that was free a moment ago. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
