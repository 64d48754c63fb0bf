import { systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import type { CaptureFeed } from './capture-process.ts';
import { type SourceTable, shapes } from './capture-source.ts';
import { quantile } from './report.ts';

const floodSeconds = 4;
const seconds = 8;
/** Connections that write at a time. */
const writers = 4;

/**
 * Commit → a consumer of the topic, at half of what the whole carries: writer, database, capture, broker and consumer
 * share the machine, so its capacity is what arrives while the writer writes as fast as it can. Both stamps are clocks
 * of this machine.
 */
export async function captureLatency(table: SourceTable, capture: CaptureFeed) {
  const results = [];
  await capture.resume();
  const reader = await Reader.open(capture);
  for (const rowsPerTransaction of shapes) {
    const begun = systemClock.monotonic();
    const flooded = await write(table, rowsPerTransaction, floodSeconds, Number.POSITIVE_INFINITY);
    await reader.received(flooded);
    const capacity = (flooded * 1000) / (systemClock.monotonic() - begun);
    const perSec = Math.max(1, Math.floor(capacity / 2 / rowsPerTransaction));
    const latencies = await reader.received(await write(table, rowsPerTransaction, seconds, perSec));
    results.push({
      rowsPerTransaction,
      capacityRowsPerSec: Math.round(capacity),
      transactionsPerSec: perSec,
      changes: latencies.length,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      maxMs: latencies.at(-1) ?? 0,
    });
  }
  await reader.close();
  return results;
}

/** A consumer that notes how long after its commit each change came. */
class Reader {
  readonly #consumer;
  #latencies: number[] = [];

  private constructor(brokers: string) {
    const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
    this.#consumer = kafka.consumer({ groupId: 'latency', maxWaitTimeInMs: 100 });
  }

  static async open({ brokers, topic }: CaptureFeed): Promise<Reader> {
    const reader = new Reader(brokers);
    const consumer = reader.#consumer;
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: false });
    const fetched = new Promise<void>(resolve => consumer.on('consumer.fetch', () => resolve()));
    await consumer.run({
      eachBatch: async ({ batch }) => {
        const now = systemClock.now();
        for (const { value } of batch.messages) {
          const match = /"type":"INSERT","es":(\d+)/.exec(value?.toString('latin1', 0, 300) ?? '');
          if (match) reader.#latencies.push(now - Number(match[1]));
        }
      },
    });
    await fetched;
    return reader;
  }

  /** Waits for so many changes; answers their latencies, ascending. */
  async received(count: number): Promise<readonly number[]> {
    await eventually(`${count} changes`, () => this.#latencies.length >= count, { withinMs: 60_000 });
    const latencies = this.#latencies.toSorted((a, b) => a - b);
    this.#latencies = [];
    return latencies;
  }

  close(): Promise<void> {
    return this.#consumer.disconnect();
  }
}

/** Writes transactions for some seconds, at a rate or as fast as it goes; answers how many rows. */
async function write(table: SourceTable, rows: number, forSeconds: number, perSec: number): Promise<number> {
  const one = () => writeOn(table, rows, forSeconds, perSec / writers);
  const sent = await Promise.all(Array.from({ length: writers }, one));
  return rows * sent.reduce((sum, each) => sum + each, 0);
}

/** One connection's share; answers how many transactions. */
async function writeOn(
  table: SourceTable,
  rows: number,
  forSeconds: number,
  perSec: number,
): Promise<number> {
  const client = new Client({ connectionString: table.postgres.url });
  await client.connect();
  const begun = systemClock.monotonic();
  let sent = 0;
  for (; systemClock.monotonic() - begun < forSeconds * 1000; sent += 1) {
    await client.query({
      name: 'write',
      text: `INSERT INTO bench SELECT $1::bigint + g, 'customer-' || g, g * 1.25, now(), repeat('n', 90)
               FROM generate_series(0, $2::int - 1) g`,
      values: [table.takeIds(rows), rows],
    });
    const due = begun + ((sent + 1) * 1000) / perSec;
    if (due > systemClock.monotonic()) await systemClock.sleep(due - systemClock.monotonic());
  }
  await client.end();
  return sent;
}
