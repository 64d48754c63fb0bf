import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { need } from '@tidemark/e2e/outside';
import { systemClock } from '@tidemark/kernel';
import { endProcess, startPostgres, type TestPostgres } from '@tidemark/testkit';
import { type ConnectDistribution, connectDistribution, startConnect } from './peers-connect.ts';
import { describeMachine, spread, writeResult } from './report.ts';
import { loadTopic, startBenchBroker } from './sink-broker.ts';
import type { ReaderTask } from './sink-reader.ts';

/**
 * The engine beside the Debezium JDBC sink on Kafka Connect: the same topic, broker, database and table, one after the
 * other in the same run, measured from outside in the same way.
 *
 * Debezium needs messages that carry their schema, so both read such: JSON of about 700 bytes, of which 220 are the review.
 * Both upsert `reviews` by its primary key. The engine does more: it keeps the ids of events, its position and its
 * ledger in the same transaction, so what it writes is there exactly once.
 *
 *     node bench/src/peers.ts [--events 150000] [--runs 2] [--brokers HOST:PORT]
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string' },
    events: { type: 'string', default: '150000' },
    runs: { type: 'string', default: '2' },
  },
});
const events = Number(values.events);
const lookEveryMs = 50;
/** A side that has not begun or not ended by then is broken, milliseconds. */
const patienceMs = 120_000;

/** Tuned: one statement a batch, batches of 5000, a task for each core, and polls that fill them. */
const tuned = {
  'tasks.max': '2',
  'batch.size': '5000',
  'dialect.postgres.unnest.insert.enabled': 'true',
  'consumer.override.max.poll.records': '5000',
  'consumer.override.fetch.min.bytes': '1000000',
  'consumer.override.max.partition.fetch.bytes': '4194304',
};

/** Kafka's own start script gives Connect a heap of 2 GiB, which it fills; tuned, it gets what it needs. */
const jvmDefault = ['-Xms256M', '-Xmx2G'];
const jvmTuned = ['-Xms256M', '-Xmx512M'];

interface Measured {
  readonly rowsPerSec: number;
  readonly cpuSecondsPerMillion: number;
  readonly memoryMaxMiB: number;
}

const found = await connectDistribution();
if (found.skip !== false) process.exit(0); // the reason was told
const distribution = need(found);
const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
const broker = values.brokers
  ? { brokers: values.brokers.split(','), stop: async () => {} }
  : await startBenchBroker(folder);
const postgres = await startPostgres({ migrated: true, settings: { fsync: 'on', max_wal_size: '4GB' } });
try {
  const topic = `bench-peers-${randomUUID().slice(0, 8)}`;
  await loadTopic(broker.brokers, topic, { first: 0, events, ids: 'ordered', withSchema: true });
  const sides: Readonly<Record<string, () => Promise<ChildProcess>>> = {
    engine: async () => startEngine(topic, postgres),
    debeziumDefault: () => startPeer(distribution, topic, {}, jvmDefault),
    debeziumTuned: () => startPeer(distribution, topic, tuned, jvmTuned),
  };
  const measured: Record<string, Measured[]> = {};
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const [name, start] of Object.entries(sides)) {
      (measured[name] ??= []).push(await measureSide(await start()));
      process.stderr.write(`${name}: ${JSON.stringify(measured[name]?.at(-1))}\n`);
    }
  }
  const result = {
    events,
    broker: values.brokers ?? 'the embedded one',
    versions: { ...distribution.versions, postgres: await postgresVersion() },
    machine: describeMachine(),
    notes: [
      'Messages are JSON with their schema, which Debezium needs; both sides read the same ones.',
      'Debezium writes the table reviews only, at least once; the engine also the ids of events, position and ledger, exactly once.',
      'CPU and memory are those of the process that reads and writes, without broker and database; from the first row to the last.',
      'Neither side tells the time of a batch in the same way, so there are no percentiles.',
    ],
    settings: { debeziumDefault: { jvm: jvmDefault }, debeziumTuned: { ...tuned, jvm: jvmTuned } },
    ...Object.fromEntries(Object.entries(measured).map(([name, runs]) => [name, summarize(runs)])),
  };
  const command = `node bench/src/peers.ts --events ${events} --runs ${values.runs}`;
  process.stdout.write(
    `${JSON.stringify(result, null, 2)}\n${await writeResult('peers', command, result)}\n`,
  );
} finally {
  await postgres.stop();
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
}

async function startEngine(topic: string, { url }: TestPostgres): Promise<ChildProcess> {
  const task: ReaderTask = {
    mode: 'withSchema',
    brokers: broker.brokers,
    topic,
    events: null,
    databaseUrl: url,
  };
  const program = fileURLToPath(new URL('./sink-reader.ts', import.meta.url));
  return spawn(process.execPath, [program, JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function startPeer(
  distributed: ConnectDistribution,
  topic: string,
  settings: Record<string, string>,
  jvm: readonly string[],
) {
  const group = `peer-${randomUUID().slice(0, 8)}`;
  const { brokers } = broker;
  return startConnect(distributed, folder, {
    brokers,
    topic,
    databaseUrl: postgres.url,
    group,
    settings,
    jvm,
  });
}

/** From the first row to the last, whoever writes them; the start of the process does not count. */
async function measureSide(child: ChildProcess): Promise<Measured> {
  try {
    await until(child, 'the first row', async () => (await rows('EXISTS (SELECT FROM reviews)')) === true);
    const startedMs = performance.now();
    const cpuBefore = await cpuSeconds(child);
    await until(
      child,
      'the last row',
      async () => Number(await rows('(SELECT count(*) FROM reviews)')) >= events,
    );
    const elapsedMs = performance.now() - startedMs;
    const cpu = (await cpuSeconds(child)) - cpuBefore;
    return {
      rowsPerSec: (events / elapsedMs) * 1000,
      cpuSecondsPerMillion: (cpu / events) * 1e6,
      memoryMaxMiB: await peakMiB(child),
    };
  } finally {
    await endProcess(child, 'SIGKILL');
    await postgres.query('TRUNCATE reviews, processed_events, pipeline_positions');
    await postgres.query('CHECKPOINT');
  }
}

async function rows(expression: string): Promise<unknown> {
  const [row] = await postgres.query<{ answer: unknown }>(`SELECT ${expression} AS answer`);
  return row?.answer;
}

async function until(child: ChildProcess, what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await look())) {
    if (child.exitCode !== null) throw new Error(`a side ended with ${child.exitCode} before ${what}`);
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${patienceMs} ms`);
    await systemClock.sleep(lookEveryMs);
  }
}

/** User and system time of a process (proc(5), stat, fields 14 and 15, in hundredths of a second). */
async function cpuSeconds({ pid }: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function peakMiB({ pid }: ChildProcess): Promise<number> {
  return Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function postgresVersion(): Promise<unknown> {
  return rows(`current_setting('server_version')`);
}

function summarize(runs: readonly Measured[]) {
  const of = (name: keyof Measured) => {
    const { min, median, max } = spread(runs.map(run => Math.round(run[name] * 10) / 10));
    return { min, median, max };
  };
  return {
    runs: runs.length,
    rowsPerSec: of('rowsPerSec'),
    cpuSecondsPerMillion: of('cpuSecondsPerMillion'),
    memoryMaxMiB: of('memoryMaxMiB'),
  };
}
