import { systemClock } from '@tidemark/kernel';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import type { CaptureFeed } from './capture-process.ts';
import type { SourceTable } from './capture-source.ts';
import { quantile } from './report.ts';

const seconds = 8;
/** More a writer does not reach with one statement after another on these cores. */
const transactionsPerSecMax = 1500;

interface Rate {
  readonly rowsPerTransaction: number;
  readonly rowsPerSec: Readonly<Record<string, { readonly median: number }>>;
}

/**
 * Commit → a consumer of the topic, at half of the rate that capture reached for transactions of this size, or at what
 * one writer can do when that is less. Both stamps are clocks of this machine.
 */
export async function captureLatency(table: SourceTable, capture: CaptureFeed, rates: readonly Rate[]) {
  const results = [];
  await capture.resume();
  for (const { rowsPerTransaction, rowsPerSec } of rates) {
    const half = (rowsPerSec[capture.name]?.median ?? 0) / 2 / rowsPerTransaction;
    const perSec = Math.max(1, Math.min(transactionsPerSecMax, Math.floor(half)));
    const latencies = await oneRun(table, capture, rowsPerTransaction, perSec);
    results.push({
      rowsPerTransaction,
      transactionsPerSec: perSec,
      isHalfLoad: perSec === Math.floor(half),
      changes: latencies.length,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      maxMs: latencies.at(-1) ?? 0,
    });
  }
  return results;
}

async function oneRun(
  table: SourceTable,
  capture: CaptureFeed,
  rows: number,
  perSec: number,
): Promise<number[]> {
  const kafka = new Kafka({ brokers: [capture.brokers], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `latency-${rows}`, maxWaitTimeInMs: 100 });
  const latencies: number[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: capture.topic, fromBeginning: false });
  const joined = new Promise<void>(resolve => consumer.on('consumer.group_join', () => resolve()));
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const now = systemClock.now();
      for (const { value } of batch.messages) {
        const match = /"type":"INSERT","es":(\d+)/.exec(value?.toString('latin1', 0, 300) ?? '');
        if (match) latencies.push(now - Number(match[1]));
      }
    },
  });
  await joined;
  await systemClock.sleep(500); // positions at the end of the topic are taken after the join
  latencies.length = 0;
  const expected = await writeSteadily(table, rows, perSec);
  const deadline = systemClock.monotonic() + 30_000;
  while (latencies.length < expected && systemClock.monotonic() < deadline) await systemClock.sleep(50);
  await consumer.disconnect();
  if (latencies.length < expected) throw new Error(`${latencies.length} of ${expected} changes came`);
  return latencies.toSorted((a, b) => a - b);
}

async function writeSteadily(table: SourceTable, rows: number, perSec: number): Promise<number> {
  const transactions = perSec * seconds;
  const first = table.takeIds(transactions * rows);
  const client = new Client({ connectionString: table.postgres.url });
  await client.connect();
  const begun = systemClock.monotonic();
  for (let sent = 0; sent < transactions; sent += 1) {
    await client.query({
      name: 'write',
      text: `INSERT INTO bench SELECT $1::bigint + g, 'customer-' || g, g * 1.25, now(), repeat('n', 90)
               FROM generate_series(0, $2::int - 1) g`,
      values: [first + sent * rows, rows],
    });
    const due = begun + ((sent + 1) * 1000) / perSec;
    if (due > systemClock.monotonic()) await systemClock.sleep(due - systemClock.monotonic());
  }
  await client.end();
  return transactions * rows;
}
