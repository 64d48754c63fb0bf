import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tidemark/embedded-postgres';
import { eventually, type TestPostgres } from '@tidemark/testkit';
import type { Started } from './connect.ts';
import type { TopicEnds } from './topic-ends.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const host = '127.0.0.1';

/** The embedded broker, as a process of its own. */
export async function startOwnBroker(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-broker-'));
  const [port, metrics] = [await freePort(host), await freePort(host)];
  const args = ['broker', `--port=${port}`, `--metrics-addr=${host}:${metrics}`, `--data=${folder}`];
  const child = node('apps/cli/src/main.ts', args, {});
  const ready = async () => (await fetch(`http://${host}:${metrics}/readyz`)).ok;
  await eventually('the broker is ready', ready, { withinMs: 30_000 });
  return {
    address: `${host}:${port}`,
    async stop() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Capture as a process of its own with one changefeed over the table. */
export class CaptureProcess {
  readonly name: string;
  readonly brokers: string;
  readonly topic: string;
  readonly #child: ChildProcess;
  readonly #api: string;
  readonly #ends: TopicEnds;
  #known = 0;

  private constructor(name: string, brokers: string, child: ChildProcess, api: string, ends: TopicEnds) {
    this.name = name;
    this.brokers = brokers;
    this.topic = name.replaceAll(' ', '-');
    this.#child = child;
    this.#api = api;
    this.#ends = ends;
  }

  static async start(
    name: string,
    postgres: TestPostgres,
    brokers: string,
    ends: TopicEnds,
  ): Promise<CaptureProcess> {
    const port = await freePort(host);
    const child = node('apps/capture/src/main.ts', [], {
      DATABASE_URL: postgres.url,
      KAFKA_BROKERS: brokers,
      CAPTURE_ADDR: `${host}:${port}`,
      CAPTURE_DEFAULT_CHANGEFEED: 'false',
      LOG_LEVEL: 'warn',
    });
    const capture = new CaptureProcess(name, brokers, child, `http://${host}:${port}`, ends);
    await eventually(
      'capture answers',
      async () => (await fetch(`${capture.#api}/api/v2/health`)).ok,
      patience,
    );
    await capture.#call('POST', '', {
      changefeed_id: capture.topic,
      sink_uri: `kafka://${brokers}/${capture.topic}?protocol=canal-json&enable-tidb-extension=true&partition-num=3`,
      replica_config: {
        filter: { rules: ['sre_app.bench'] },
        sink: { dispatchers: [{ matcher: ['*.*'], partition: 'index-value' }] },
      },
    });
    await capture.#streams();
    return capture;
  }

  async pause(): Promise<void> {
    await this.#call('POST', `/${this.topic}/pause`);
    this.#known = await this.#ends.count(this.topic);
  }

  /** Goes on, and answers how many messages a second come until all rows are there. */
  async drain(rows: number): Promise<number> {
    const rate = this.#ends.rate(this.topic, this.#known, rows);
    await this.#call('POST', `/${this.topic}/resume`);
    const perSec = await rate;
    await this.#streams();
    return perSec;
  }

  stop(): Promise<void> {
    return end(this.#child);
  }

  async #streams(): Promise<void> {
    await eventually('capture streams', async () => (await fetch(`${this.#api}/readyz`)).ok, patience);
  }

  async #call(method: string, path: string, body?: object): Promise<void> {
    const response = await fetch(`${this.#api}/api/v2/changefeeds${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
  }
}

const patience = { withinMs: 30_000 };

function node(entry: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [join(repository, entry), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
