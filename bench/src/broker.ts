import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { kafkaDistribution, need } from '@tidemark/e2e/brokers';
import { systemClock } from '@tidemark/kernel';
import { type ClientRow, measureClient } from './broker-client.ts';
import { measureLatency } from './broker-latency.ts';
import { appendLimit } from './broker-limit.ts';
import { type Memory, memoryOf } from './broker-process.ts';
import { settings, type Side, type SideName, sideNames, startSide } from './broker-side.ts';
import { type Direction, measureRow, round, type Row, shapes } from './broker-throughput.ts';
import type { Shape } from './broker-traffic.ts';
import { results, spread, writeResult } from './report.ts';

/**
 * The embedded broker beside Apache Kafka, as two processes of one machine, measured in turn by the same client.
 *
 *     tidemark bench broker [--runs 5] [--seconds 2] [--only start,throughput,tail,latency,client]
 */
const parts = ['start', 'throughput', 'tail', 'latency', 'client'] as const;
const options = readOptions();
const kafka = need(await kafkaDistribution('4'));

/** How long a broker stands idle before its memory is read. */
const idleMs = 5000;
const ratesPerSec = [500, 2000];

/** Brokers that a signal must not leave behind are killed by their starters when this process exits. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const measurements = {
  throughput: measureThroughput,
  tail: measureTail,
  latency: measureLatencies,
  client: measureClients,
} as const;

let sections: object = { ...(await lastSections()), kafka: kafka.version, settings };
if (options.only.includes('start')) await keep('start', await measureStart());
const sides = { tidemark: await startSide('tidemark', kafka), kafka: await startSide('kafka', kafka) };
try {
  await warmUp(sides);
  for (const [part, measurePart] of Object.entries(measurements))
    if (options.only.includes(part)) await keep(part, await measurePart(sides));
} finally {
  for (const name of sideNames) await sides[name].broker.stop();
}
process.exit(0);

function readOptions() {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, seconds: { type: 'string' }, only: { type: 'string' } },
  });
  const whole = (name: 'runs' | 'seconds', fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (Number.isInteger(value) && value >= 1 && value <= 99) return value;
    return refuse(`--${name} takes a whole number from 1 to 99, not "${values[name]}"`);
  };
  const only: readonly string[] = values.only?.split(',') ?? parts;
  const unknown = only.find(part => !(parts as readonly string[]).includes(part));
  if (unknown !== undefined) refuse(`--only takes ${parts.join(', ')}, not "${unknown}"`);
  return { runs: whole('runs', 5), seconds: whole('seconds', 2), only };
}

function refuse(problem: string): never {
  process.stderr.write(`bench broker: ${problem}\n`);
  process.exit(2);
}

/** Written down at once: what a later part does must not cost what an earlier one found. */
async function keep(part: string, section: object): Promise<void> {
  sections = { ...sections, [part]: section };
  say(await writeResult('broker', 'tidemark bench broker', sections));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What an earlier run of other parts found out. */
async function lastSections(): Promise<object> {
  const text = await readFile(`${results}broker.json`, 'utf8').catch(() => '{}');
  const last = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(parts.filter(part => part in last).map(part => [part, last[part]]));
}

async function measureStart() {
  const startMs: Record<SideName, number[]> = { tidemark: [], kafka: [] };
  const idle: Record<SideName, Memory[]> = { tidemark: [], kafka: [] };
  for (let run = 0; run < options.runs; run += 1) {
    for (const name of sideNames) {
      const side = await startSide(name, kafka);
      startMs[name].push(round(side.startMs, 0));
      await systemClock.sleep(idleMs);
      idle[name].push(await memoryOf(side.pid));
      await side.broker.stop();
    }
  }
  const summary = (name: SideName) => ({
    startMs: spread(startMs[name]),
    idlePssMb: spread(idle[name].map(({ pssMb }) => pssMb)),
    idleRssMb: spread(idle[name].map(({ rssMb }) => rssMb)),
  });
  const start = { ...made(), idleMs, tidemark: summary('tidemark'), kafka: summary('kafka') };
  for (const name of sideNames) {
    const { startMs, idlePssMb } = start[name];
    say(`${name}: start ${startMs.median} ms, idle ${idlePssMb.median} MB`);
  }
  return start;
}

/** Both run on virtual machines that compile what runs often: neither is judged by its first seconds. */
async function warmUp(sides: Readonly<Record<SideName, Side>>): Promise<void> {
  for (const messagesPerBatch of [1, 10]) {
    for (const direction of ['produce', 'fetch'] as const)
      await measureRow(direction, { messageBytes: 1000, messagesPerBatch }, sides, {
        runs: 1,
        windowMs: 2000,
      });
  }
}

async function measureThroughput(sides: Readonly<Record<SideName, Side>>) {
  const rows = [
    ...(await measureRows('produce', shapes, sides)),
    ...(await measureRows('fetch', shapes, sides)),
  ];
  const appendMbPerSec = {
    '100 KiB': await appendLimitOf(100 * 1024),
    '16 KiB': await appendLimitOf(16 * 1024),
  };
  return { ...made(), appendMbPerSec, rows };
}

async function measureTail(sides: Readonly<Record<SideName, Side>>) {
  const batched = shapes.filter(({ messagesPerBatch }) => messagesPerBatch > 1);
  return { ...made(), rows: await measureRows('tail', batched, sides) };
}

async function measureRows(
  direction: Direction,
  shapes: readonly Shape[],
  sides: Readonly<Record<SideName, Side>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const shape of shapes) {
    const plan = { runs: options.runs, windowMs: options.seconds * 1000 };
    const row = await measureRow(direction, shape, sides, plan);
    rows.push(row);
    say(
      `${direction} ${row.messageBytes} B × ${row.messagesPerBatch}: ${row.tidemark.mbPerSec.median} MB/s, ` +
        `Kafka ${row.kafka.mbPerSec.median} (${row.ratio}), loopback ${row.loopbackMbPerSec}`,
    );
  }
  return rows;
}

async function appendLimitOf(batchBytes: number): Promise<number> {
  return round(await appendLimit(batchBytes, 2e9), 0);
}

async function measureLatencies(sides: Readonly<Record<SideName, Side>>) {
  const rates: object[] = [];
  for (const ratePerSec of ratesPerSec) {
    const latency = await measureLatency(sides, ratePerSec, options);
    rates.push({ ratePerSec, messageBytes: 1000, ...latency });
    for (const name of sideNames) {
      const { p50Ms, p99Ms } = latency[name];
      say(`${name} at ${ratePerSec}/s: p50 ${p50Ms.median} ms, p99 ${p99Ms.median} ms`);
    }
  }
  return { ...made(), secondsPerRun: options.seconds, rates };
}

async function measureClients(sides: Readonly<Record<SideName, Side>>) {
  const rows: ClientRow[] = [];
  for (const messageBytes of [100, 1000, 10_000]) {
    const row = await measureClient(sides, kafka, messageBytes, options.runs);
    rows.push(row);
    say(
      `Java client, ${messageBytes} B: produce ${row.produceMbPerSec.tidemark.median} MB/s (${row.produceRatio}), ` +
        `fetch ${row.fetchMbPerSec.tidemark.median} (${row.fetchRatio})`,
    );
  }
  return { ...made(), program: 'kafka-producer-perf-test, kafka-consumer-perf-test', rows };
}

/** Parts may be measured one by one: each says when and how. */
function made() {
  const command = `tidemark bench broker --runs ${options.runs} --seconds ${options.seconds} --only ${options.only.join(',')}`;
  return { at: new Date().toISOString(), command };
}
