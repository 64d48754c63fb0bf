import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { errorCode, TidemarkError } from '@tidemark/kernel';
import { type ClusterOptions, type LaunchSpec, prepareCluster, serverEnvironment } from './cluster.ts';
import { freePort } from './free-port.ts';

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

/** How often another free port is tried when somebody else took the first one meanwhile. */
const portAttempts = 5;

/** Starts a PostgreSQL server of its own, and resolves when it accepts connections. Port 0 picks a free one. */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port || (await freePort(options.host ?? loopback));
    try {
      return await startOn(port, options);
    } catch (error) {
      const portLost =
        errorCode(error) === 'POSTGRES_DIED' && /could not bind|could not create any/.test(String(error));
      if (options.port || !portLost || attempt === portAttempts) throw error;
    }
  }
}

const loopback = '127.0.0.1';

async function startOn(port: number, options: PostgresServerOptions): Promise<PostgresServer> {
  const { host = loopback, user, password } = { ...embeddedUser, ...options };
  const child = launch(await prepareCluster({ ...options, user, password, host, port }));
  await acceptsConnections(child);
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  return {
    host,
    port,
    pid: child.pid ?? 0,
    url: database => `postgres://${user}:${password}@${host}:${port}/${database}`,
    async stop(mode = 'fast') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // Signals of postgres(1): SIGINT is a fast shutdown, SIGQUIT an immediate one.
      child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await exited;
    },
  };
}

function launch(spec: LaunchSpec): ServerProcess {
  return spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: serverEnvironment,
    ...(spec.user ? { uid: spec.user.uid, gid: spec.user.gid } : {}),
  });
}

type ServerProcess = ChildProcessByStdio<null, null, Readable>;

/** How many of its last lines are told when the server does not start. */
const lastLines = 3;

function acceptsConnections(child: ServerProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log: string[] = [];
    createInterface({ input: child.stderr }).on('line', line => {
      log = [...log, line].slice(-lastLines);
      if (line.includes('database system is ready to accept connections')) resolve();
    });
    child.once('error', reject);
    // After `close`, unlike `exit`, everything that it said has been read.
    child.once('close', () => {
      reject(new TidemarkError('POSTGRES_DIED', `PostgreSQL ended while starting: ${log.join(' ')}`));
    });
  });
}
