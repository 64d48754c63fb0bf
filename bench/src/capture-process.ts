import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tidemark/embedded-postgres';
import { endProcess, eventually, type TestPostgres } from '@tidemark/testkit';
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
      await endProcess(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Capture as a process of its own. */
export class CaptureProcess {
  readonly #child: ChildProcess;
  readonly #api: string;

  private constructor(child: ChildProcess, api: string) {
    this.#child = child;
    this.#api = api;
  }

  static async start(postgres: TestPostgres): Promise<CaptureProcess> {
    const port = await freePort(host);
    const child = node('apps/capture/src/main.ts', [], {
      DATABASE_URL: postgres.url,
      CAPTURE_ADDR: `${host}:${port}`,
      CAPTURE_DEFAULT_CHANGEFEED: 'false',
      LOG_LEVEL: 'warn',
    });
    const capture = new CaptureProcess(child, `http://${host}:${port}`);
    await eventually(
      'capture answers',
      async () => (await fetch(`${capture.#api}/api/v2/health`)).ok,
      patience,
    );
    return capture;
  }

  async streams(): Promise<void> {
    await eventually('capture streams', async () => (await fetch(`${this.#api}/readyz`)).ok, patience);
  }

  async call(method: string, path: string, body?: object): Promise<void> {
    const response = await fetch(`${this.#api}/api/v2/changefeeds${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  stop(): Promise<void> {
    return endProcess(this.#child, 'SIGTERM');
  }
}

/** One changefeed over the table, to a broker. */
export class CaptureFeed {
  readonly name: string;
  readonly brokers: string;
  readonly topic: string;
  readonly #capture: CaptureProcess;
  readonly #ends: TopicEnds;
  #known = 0;

  private constructor(name: string, capture: CaptureProcess, brokers: string, ends: TopicEnds) {
    this.name = name;
    this.topic = name.replaceAll(' ', '-');
    this.brokers = brokers;
    this.#capture = capture;
    this.#ends = ends;
  }

  static async create(
    name: string,
    capture: CaptureProcess,
    brokers: string,
    ends: TopicEnds,
  ): Promise<CaptureFeed> {
    const feed = new CaptureFeed(name, capture, brokers, ends);
    await capture.call('POST', '', {
      changefeed_id: feed.topic,
      sink_uri: `kafka://${brokers}/${feed.topic}?protocol=canal-json&enable-tidb-extension=true&partition-num=3`,
      replica_config: {
        filter: { rules: ['sre_app.bench'] },
        sink: { dispatchers: [{ matcher: ['*.*'], partition: 'index-value' }] },
      },
    });
    await capture.streams();
    return feed;
  }

  async pause(): Promise<void> {
    await this.#capture.call('POST', `/${this.topic}/pause`);
    this.#known = await this.#ends.count(this.topic);
  }

  async resume(): Promise<void> {
    await this.#capture.call('POST', `/${this.topic}/resume`);
    await this.#capture.streams();
  }

  /** Goes on, answers how many messages a second come until all rows are there, and stops again. */
  async drain(rows: number): Promise<number> {
    const rate = this.#ends.rate(this.topic, this.#known, rows);
    await this.#capture.call('POST', `/${this.topic}/resume`);
    const perSec = await rate;
    await this.pause();
    return perSec;
  }
}

const patience = { withinMs: 30_000 };

function node(entry: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [join(repository, entry), ...args], {
    stdio: ['pipe', 'ignore', 'inherit'], // its end tells the child that we are gone
    env: { ...process.env, ...env, TIDEMARK_STOP_WITH_PARENT: '1' },
  });
}
