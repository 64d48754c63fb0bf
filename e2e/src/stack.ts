import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Change, defaultAccount, ports, type Session } from '@tidemark/contracts';
import { isFree } from '@tidemark/embedded-postgres';
import { Client, type QueryResultRow } from 'pg';
import { run, runOk } from './programs.ts';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** What `tidemark status --json` says of a service. */
export interface ServiceStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly state: string;
  readonly answer: string;
  readonly restarts: number;
  readonly memoryBytes: number | null;
}

/** A whole stack of its own: real processes, own ports, own data. */
export interface Stack {
  readonly data: string;
  readonly portOffset: number;
  readonly databaseUrl: string;
  readonly brokers: string;
  /** `http://127.0.0.1:port` of a service. */
  http(name: keyof typeof ports): string;
  /** Runs the tidemark command on this stack. */
  tidemark(...args: string[]): Promise<string>;
  status(): Promise<readonly ServiceStatus[]>;
  log(service: string): Promise<string>;
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** Folder with the `tidemark` command; this repository unless given. */
  readonly home?: string;
  /** Settings of the whole stack; DATABASE_URL and KAFKA_BROKERS take the place of the embedded database and broker. */
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of `tidemark up`. */
  readonly args?: readonly string[];
}

/** Brings a stack up with `tidemark up --detach` and answers once it is ready. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const home = options.home ?? repository;
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-stack-'));
  await chmod(folder, 0o755);
  const data = join(folder, 'data');
  const portOffset = await freePortOffset();
  const command = join(home, 'tidemark');
  const env = { DATABASE_URL: '', KAFKA_BROKERS: '', ...options.env };
  const tidemark = (...args: string[]) => runOk(command, [...args, '--data', data], { cwd: home, env });
  const places = { data, portOffset, brokers: env.KAFKA_BROKERS };
  const stack = describeStack(places, tidemark, async () => {
    await run(command, ['down', '--data', data], { cwd: home, env });
    await run(command, ['reset', '--yes', '--data', data], { cwd: home, env });
    await rm(folder, { recursive: true, force: true });
  });
  try {
    const args = ['--detach', '--data', data, '--port-offset', String(portOffset), ...(options.args ?? [])];
    await runOk(command, ['up', ...args], { cwd: home, env });
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

function describeStack(
  { data, portOffset, brokers }: { data: string; portOffset: number; brokers: string },
  tidemark: Stack['tidemark'],
  stop: () => Promise<void>,
): Stack {
  const port = (name: keyof typeof ports) => ports[name] + portOffset;
  const databaseUrl = `postgres://tidemark:tidemark@127.0.0.1:${port('postgres')}/sre_app`;
  return {
    data,
    portOffset,
    databaseUrl,
    brokers: brokers || `127.0.0.1:${port('broker')}`,
    http: name => `http://127.0.0.1:${port(name)}`,
    tidemark,
    async status() {
      const { stdout } = await run(join(repository, 'tidemark'), ['status', '--json', '--data', data]);
      return (JSON.parse(stdout) as { services: readonly ServiceStatus[] }).services;
    },
    log: service => readFile(join(data, 'logs', `${service}.log`), 'utf8'),
    async query(sql, values = []) {
      const client = new Client({ connectionString: databaseUrl });
      client.on('error', () => {});
      await client.connect();
      try {
        return (await client.query(sql, values)).rows as never;
      } finally {
        await client.end();
      }
    },
    stop,
  };
}

/**
 * An offset at which every port of a stack is free; random, so that two test runs can stand side by side. It keeps all
 * of them below the ports of outgoing connections, one of which could otherwise take a port before its service does.
 */
export async function freePortOffset(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const offset = 10_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Object.values(ports).map(port => isFree(port + offset, '127.0.0.1')));
    if (free.every(Boolean)) return offset;
  }
  throw new Error('no free range of ports was found in 50 attempts');
}

/** The api as a signed-in script uses it. */
export interface ApiClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<void>;
  /** Every change that matches, oldest first. */
  changes(filter: Readonly<Record<string, string>>): Promise<readonly Change[]>;
}

/** Signs in with the default account. */
export async function signIn(stack: Stack): Promise<ApiClient> {
  const call = async (method: string, path: string, body?: unknown, token?: string) => {
    const response = await fetch(`${stack.http('api')}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  };
  const { token } = (await call('POST', '/api/auth/login', defaultAccount)) as Session;
  const get = async <T>(path: string) => (await call('GET', path, undefined, token)) as T;
  return {
    get,
    post: async <T>(path: string, body: unknown) => (await call('POST', path, body, token)) as T,
    patch: async <T>(path: string, body: unknown) => (await call('PATCH', path, body, token)) as T,
    async delete(path) {
      await call('DELETE', path, undefined, token);
    },
    async changes(filter) {
      const found: Change[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query: string = new URLSearchParams({
          ...filter,
          limit: '200',
          ...(cursor ? { cursor } : {}),
        }).toString();
        const page: { items: Change[]; nextCursor: string | null } = await get(`/api/changes?${query}`);
        found.push(...page.items);
        cursor = page.nextCursor;
      }
      return found.toReversed();
    },
  };
}
