import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPool, retainProcessedEvents } from '@tidemark/connectors';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { measureOk } from './commands.ts';
import { readResult, spread, writeResult } from './report.ts';
import { type BenchBroker, loadTopic, startBenchBroker } from './sink-broker.ts';
import { copyRows } from './sink-copy-limit.ts';
import { eventsFromMs, type IdOrder } from './sink-events.ts';
import { oneTransactionAnEvent } from './sink-naive.ts';
import type { ReaderResult, ReaderTask } from './sink-reader.ts';

/**
 * How fast review events get from a loaded topic into PostgreSQL, exactly once, against two marks of the same run: what
 * `COPY` reaches without any bookkeeping, and the textbook's one transaction an event with 64 in flight; and what the
 * engine costs over the bare client. The tables hold rows before, every pattern gets a fresh copy of them, and the
 * patterns take turns.
 *
 * Orders of ids that are not named keep what was measured before.
 *
 *     node bench/src/sink.ts [--brokers HOST:PORT] [--events 400000] [--preload 1000000] [--runs 3] [--ids ordered,random]
 */
const { values } = parseArgs({
  options: {
    brokers: { type: 'string' },
    events: { type: 'string', default: '400000' },
    preload: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '3' },
    ids: { type: 'string', default: 'ordered,random' },
  },
});
const events = Number(values.events);
const preload = Number(values.preload);
const runs = Number(values.runs);
const naiveEvents = Math.min(events, 15_000);

const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
const broker: BenchBroker = values.brokers
  ? { brokers: values.brokers.split(','), stop: async () => {} }
  : await startBenchBroker(folder);
try {
  const byIds = await measuredBefore();
  const command = `node bench/src/sink.ts --events ${events} --preload ${preload} --runs ${runs}`;
  for (const ids of values.ids.split(',') as IdOrder[]) {
    byIds[ids] = await measureIds(ids);
    const file = await writeResult('sink', command, { events, preloadedRows: preload, naiveEvents, byIds });
    process.stdout.write(`${JSON.stringify(byIds[ids], null, 2)}\n${file}\n`);
  }
} finally {
  await broker.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Of an earlier run with the same sizes. */
async function measuredBefore(): Promise<Record<string, object>> {
  const before = await readResult<{
    events?: number;
    preloadedRows?: number;
    byIds?: Record<string, object>;
  }>('sink');
  return before?.events === events && before.preloadedRows === preload ? { ...before.byIds } : {};
}

async function measureIds(ids: IdOrder) {
  const topic = `bench-${ids}-${randomUUID().slice(0, 8)}`;
  await loadTopic(broker.brokers, topic, { first: preload, events, ids });
  // A benchmark flushes: the difference between the patterns is largely how often they do.
  const postgres = await startPostgres({ migrated: true, settings: { fsync: 'on', max_wal_size: '4GB' } });
  try {
    await makeDays(postgres.url);
    await copyRows(postgres.url, { first: 0, events: preload, ids });
    const rounds = [];
    for (let run = 0; run < runs; run += 1) {
      rounds.push(await oneRound(postgres, topic, ids));
      process.stderr.write(`${ids}, run ${run + 1}: ${JSON.stringify(rounds.at(-1))}\n`);
    }
    return summarize(rounds);
  } finally {
    await postgres.stop();
  }
}

/** The partitions that the consumer makes, for the time that stands in the ids of the events. */
async function makeDays(databaseUrl: string): Promise<void> {
  const pool = createPool({ databaseUrl, applicationName: 'bench', connections: 1 });
  try {
    await retainProcessedEvents(
      { pool, holder: 'bench', keepMs: 30 * 86_400_000, leaseMs: 1000 },
      eventsFromMs,
    );
  } finally {
    await pool.end();
  }
}

async function oneRound(postgres: TestPostgres, topic: string, ids: IdOrder) {
  const rows = { first: preload, events, ids };
  const read = (mode: ReaderTask['mode'], databaseUrl = '') =>
    reader({ mode, brokers: broker.brokers, topic, events, databaseUrl });
  return {
    copyPerSec: await onFreshCopy(postgres, url => copyRows(url, rows)),
    naive: await onFreshCopy(postgres, url => oneTransactionAnEvent(url, { ...rows, events: naiveEvents })),
    engine: await onFreshCopy(postgres, url => read('engine', url)),
    client: await read('client'),
    bare: await read('bare'),
    decoding: await read('decoding'),
  };
}

/** A database of its own, with the rows that were loaded before, and a checkpoint behind it. */
async function onFreshCopy<T>(postgres: TestPostgres, work: (url: string) => Promise<T>): Promise<T> {
  const admin = new URL(postgres.url);
  const loaded = admin.pathname.slice(1);
  admin.pathname = '/postgres';
  const psql = (sql: string) => measureOk('psql', ['-q', '-c', sql, admin.href], folder);
  await psql(`CREATE DATABASE bench TEMPLATE ${loaded} STRATEGY file_copy`);
  await psql('CHECKPOINT');
  const url = new URL(postgres.url);
  url.pathname = '/bench';
  const result = await work(url.href);
  await psql('DROP DATABASE bench WITH (FORCE)');
  return result;
}

async function reader(task: ReaderTask): Promise<ReaderResult> {
  const program = fileURLToPath(new URL('./sink-reader.ts', import.meta.url));
  const { output } = await measureOk(process.execPath, [program, JSON.stringify(task)], folder);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as ReaderResult;
}

function summarize(rounds: readonly Awaited<ReturnType<typeof oneRound>>[]) {
  const of = (pick: (round: (typeof rounds)[number]) => number) => {
    const { min, median, max } = spread(rounds.map(pick));
    return { min: rounded(min), median: rounded(median), max: rounded(max) };
  };
  const reading = (mode: 'engine' | 'client' | 'bare' | 'decoding') => ({
    eventsPerSec: of(round => round[mode].eventsPerSec),
    cpuSecondsPerMillion: of(round => round[mode].cpuSecondsPerMillion),
    memoryMaxMiB: of(round => round[mode].memoryMaxMiB),
  });
  return {
    runs: rounds.length,
    copyPerSec: of(round => round.copyPerSec),
    naive: {
      eventsPerSec: of(round => round.naive.eventsPerSec),
      p50Ms: of(round => round.naive.p50Ms),
      p99Ms: of(round => round.naive.p99Ms),
      cpuSecondsPerMillion: of(round => round.naive.cpuSecondsPerMillion),
    },
    engine: {
      ...reading('engine'),
      batchP50Ms: of(round => round.engine.p50Ms),
      batchP99Ms: of(round => round.engine.p99Ms),
      unaccounted: of(round => round.engine.unaccounted),
    },
    withoutSink: {
      client: reading('client'),
      engine: reading('bare'),
      engineDecoding: reading('decoding'),
      overheadOverClient: of(round => round.client.eventsPerSec / round.bare.eventsPerSec - 1),
    },
    ofTheLimit: of(round => round.engine.eventsPerSec / round.copyPerSec),
    timesNaive: of(round => round.engine.eventsPerSec / round.naive.eventsPerSec),
  };
}

function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
