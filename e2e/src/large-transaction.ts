import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@tidemark/kernel';
import { endProcess, eventually, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { freePorts } from '../real/free-ports.ts';

/** What one transaction cost. */
export interface LargeTransaction {
  readonly rows: number;
  /** Largest resident memory of the capture process in its life, as the kernel counted it, MiB. */
  readonly peakRssMib: number;
  /** Largest proportional memory seen by looking four times a second, MiB. */
  readonly peakPssMib: number;
  /** Largest size of the files of the transaction before it committed, MiB. */
  readonly spooledMib: number;
  /** The statements of the transaction, without its commit. */
  readonly writtenMs: number;
  /** Commit → the last row is in the topic. */
  readonly commitToTopicMs: number;
}

export interface LargeTransactionOptions {
  readonly rows: number;
  /** Limit of V8's old generation, MiB. */
  readonly oldSpaceMib: number;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));
const topic = 'large';
const partitions = 3;

/**
 * Writes a transaction of so many rows with capture as a process of its own, together with one of half the size that is
 * rolled back, and a part of a quarter that is rolled back to a savepoint. Reads the topic and makes sure that it holds
 * every row of the transaction once, in its order, and nothing else.
 */
export async function largeTransaction(options: LargeTransactionOptions): Promise<LargeTransaction> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-large-'));
  const postgres = await startPostgres({ migrated: true, settings: { logical_decoding_work_mem: '4MB' } });
  const ports = await freePorts('broker', 'brokerOps', 'capture');
  const children: ChildProcess[] = [];
  try {
    const broker = `127.0.0.1:${ports.broker}`;
    children.push(startBroker(folder, broker, ports.brokerOps));
    await isReady(ports.brokerOps);
    const capture = startCapture(options, folder, postgres.url, broker, ports.capture);
    children.push(capture);
    await isReady(ports.capture);
    await postgres.query('CREATE TABLE large (id int PRIMARY KEY, note text, at timestamptz DEFAULT now())');
    await createFeed(ports.capture, broker);
    const memory = watchMemory(capture.pid ?? 0, join(folder, 'capture'));
    try {
      const { writtenMs, committedMs } = await write(postgres, options.rows, memory);
      const { lastAppendedMs } = await readTopic(broker, options.rows);
      return {
        rows: options.rows,
        ...memory.result(),
        writtenMs,
        commitToTopicMs: lastAppendedMs - committedMs,
      };
    } finally {
      memory.stop();
    }
  } finally {
    for (const child of children.toReversed()) await endProcess(child, 'SIGTERM');
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startBroker(folder: string, address: string, opsPort: number): ChildProcess {
  const [host, port] = address.split(':');
  const data = join(folder, 'broker');
  const args = [
    'broker',
    `--host=${host}`,
    `--port=${port}`,
    `--data=${data}`,
    `--metrics-addr=127.0.0.1:${opsPort}`,
  ];
  return launch([join(repository, 'apps/cli/src/main.ts'), ...args], {}, folder);
}

function startCapture(
  { oldSpaceMib }: LargeTransactionOptions,
  folder: string,
  databaseUrl: string,
  broker: string,
  port: number,
): ChildProcess {
  const flags = [`--max-old-space-size=${oldSpaceMib}`, '--max-semi-space-size=4'];
  return launch(
    [...flags, join(repository, 'apps/capture/src/main.ts')],
    {
      DATABASE_URL: databaseUrl,
      KAFKA_BROKERS: broker,
      CAPTURE_ADDR: `127.0.0.1:${port}`,
      CAPTURE_DATA_DIR: join(folder, 'capture'),
      CAPTURE_DEFAULT_CHANGEFEED: 'false',
      LOG_LEVEL: 'warn',
    },
    folder,
  );
}

function launch(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): ChildProcess {
  return spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function isReady(port: number): Promise<void> {
  const look = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  await eventually('ready', look, { withinMs: 60_000, everyMs: 100 });
}

async function createFeed(port: number, broker: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v2/changefeeds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      changefeed_id: 'large',
      sink_uri: `kafka://${broker}/${topic}?protocol=canal-json&enable-tidb-extension=true&partition-num=${partitions}`,
      replica_config: { filter: { rules: ['sre_app.large'] } },
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
  await isReady(port);
}

const mib = 1024 * 1024;

/** Looks at the process from outside, four times a second, until it is stopped. */
function watchMemory(pid: number, dataDir: string) {
  let pss = 0;
  let spooled = 0;
  const look = () => {
    pss = Math.max(pss, kibibytes(`/proc/${pid}/smaps_rollup`, 'Pss') / 1024);
    spooled = Math.max(spooled, sizeOf(join(dataDir, 'transactions', 'large')) / mib);
  };
  const timer = setInterval(look, 250);
  return {
    get spooledMib() {
      return spooled;
    },
    result() {
      look();
      const peakRssMib = kibibytes(`/proc/${pid}/status`, 'VmHWM') / 1024;
      return {
        peakRssMib: Math.round(peakRssMib),
        peakPssMib: Math.round(pss),
        spooledMib: Math.round(spooled),
      };
    },
    stop: () => clearInterval(timer),
  };
}

/** A line such as `VmHWM:  123456 kB` of a file of Linux. */
function kibibytes(file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1]);
}

function sizeOf(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  } catch {
    return 0; // a file that was removed between the two looks
  }
}

async function write(postgres: TestPostgres, rows: number, memory: { readonly spooledMib: number }) {
  const insert = (from: number, count: number) =>
    `INSERT INTO large SELECT g, repeat(md5(g::text), 2) FROM generate_series(${from}, ${from + count - 1}) g`;
  const refused = `BEGIN; ${insert(1, Math.floor(rows / 2))}; ROLLBACK`;
  await postgres.query(refused);
  const begun = systemClock.monotonic();
  const kept = Math.floor(rows / 2);
  let committedMs = 0;
  let writtenMs = 0;
  await inTransaction(postgres.url, async query => {
    await query(insert(1, kept));
    await query('SAVEPOINT part');
    await query(insert(rows + 1, Math.floor(rows / 4)));
    await query('ROLLBACK TO part');
    await query(insert(kept + 1, rows - kept));
    writtenMs = Math.round(systemClock.monotonic() - begun);
    // Proves that the server sent rows before their end: they are on the disk of capture.
    await eventually('the transaction is on disk', () => memory.spooledMib > 1, { withinMs: 60_000 });
    committedMs = systemClock.now();
  });
  return { writtenMs, committedMs };
}

async function inTransaction(
  url: string,
  work: (query: (sql: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await work(sql => client.query(sql));
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

/** Reads until every row was seen. The rows of the one table are in one partition, in their order. */
async function readTopic(broker: string, rows: number): Promise<{ readonly lastAppendedMs: number }> {
  const consumer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).consumer({
    groupId: 'large',
  });
  const finished = Promise.withResolvers<number>();
  let next = 0;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { value, headers, timestamp } of batch.messages) {
        const changeId = headers?.['tidemark-change-id']?.toString();
        if (changeId === undefined) continue; // a watermark
        try {
          checkRow(JSON.parse(value?.toString() ?? '') as RowMessage, changeId, next);
        } catch (error) {
          finished.reject(error);
        }
        next += 1;
        assert.ok(next <= rows, 'there are more rows than were written');
        if (next === rows) finished.resolve(Number(timestamp));
      }
    },
  });
  try {
    return { lastAppendedMs: await finished.promise };
  } finally {
    await consumer.disconnect();
  }
}

interface RowMessage {
  readonly type: string;
  readonly data: readonly { readonly id: string; readonly note: string }[];
}

function checkRow({ type, data }: RowMessage, changeId: string, index: number): void {
  assert.equal(type, 'INSERT');
  assert.equal(data[0]?.id, String(index + 1));
  assert.equal(data[0].note.length, 64);
  assert.equal(changeId.split(':').at(-1), String(index), changeId);
}
