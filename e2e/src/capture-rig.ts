import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@tidemark/embedded-postgres';
import { endProcess, eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { repository } from './stack.ts';

export const victims = ['capture', 'broker', 'database'] as const;
export type Victim = (typeof victims)[number];

/** A database, a broker and capture, each a process that can be killed and comes back at once, and nothing else. */
export interface CaptureRig {
  readonly postgres: TestPostgres;
  readonly brokers: string;
  /** Creates a changefeed over the tables that the rules name, of the rig's database or of another one. */
  createFeed(id: string, rules: readonly string[], sourceUri?: string): Promise<void>;
  removeFeed(id: string): Promise<void>;
  /** Ends a process as a crash would, and starts it again. */
  kill(victim: Victim): Promise<void>;
  stop(): Promise<void>;
}

export async function startCaptureRig(): Promise<CaptureRig> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-rig-'));
  await chmod(folder, 0o755);
  const postgres = await startPostgres({ migrated: true });
  const [brokerPort, metricsPort, capturePort] = [
    await freePort(host),
    await freePort(host),
    await freePort(host),
  ];
  const brokers = `${host}:${brokerPort}`;
  const launch = {
    broker: () =>
      start('apps/cli/src/main.ts', [
        'broker',
        `--port=${brokerPort}`,
        `--metrics-addr=${host}:${metricsPort}`,
        `--data=${join(folder, 'broker')}`,
      ]),
    capture: () =>
      start('apps/capture/src/main.ts', [], {
        DATABASE_URL: postgres.url,
        KAFKA_BROKERS: brokers,
        CAPTURE_ADDR: `${host}:${capturePort}`,
        CAPTURE_DEFAULT_CHANGEFEED: 'false',
        LOG_LEVEL: 'silent',
      }),
  };
  const running = { broker: launch.broker(), capture: launch.capture() };
  const api = `http://${host}:${capturePort}`;
  const answers = () =>
    eventually('capture answers', async () => (await fetch(`${api}/api/v2/health`)).ok, patience);
  const rig: CaptureRig = {
    postgres,
    brokers,
    async createFeed(id, rules, sourceUri) {
      const response = await fetch(`${api}/api/v2/changefeeds`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...feedRequest(id, rules, brokers), source_uri: sourceUri }),
      });
      if (!response.ok) throw new Error(await response.text());
      await eventually('the changefeed streams', async () => (await fetch(`${api}/readyz`)).ok, patience);
    },
    async removeFeed(id) {
      const response = await fetch(`${api}/api/v2/changefeeds/${id}`, { method: 'DELETE' });
      if (!response.ok) throw new Error(await response.text());
    },
    async kill(victim) {
      if (victim === 'database') return postgres.crashAndRestart();
      await endProcess(running[victim], 'SIGKILL');
      running[victim] = launch[victim]();
    },
    async stop() {
      await Promise.all(Object.values(running).map(child => endProcess(child, 'SIGKILL')));
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await answers();
  } catch (error) {
    await rig.stop();
    throw error;
  }
  return rig;
}

const host = '127.0.0.1';
const patience = { withinMs: 60_000, everyMs: 50 };

function feedRequest(id: string, rules: readonly string[], brokers: string) {
  return {
    changefeed_id: id,
    sink_uri: `kafka://${brokers}/${id}?protocol=canal-json&enable-tidb-extension=true&partition-num=3`,
    replica_config: {
      force_replicate: true,
      filter: { rules },
      sink: { dispatchers: [{ matcher: ['*.*'], partition: 'index-value' }] },
    },
  };
}

function start(
  entry: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn(process.execPath, [join(repository, entry), ...args], {
    stdio: ['pipe', 'ignore', 'inherit'], // its end tells the child that we are gone
    env: { ...process.env, ...env, TIDEMARK_STOP_WITH_PARENT: '1' },
  });
}
