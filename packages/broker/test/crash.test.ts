import assert from 'node:assert/strict';
import { appendFile, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seededRandom } from '@tidemark/kernel';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { type BrokerChild, forkBroker } from './broker-child.ts';
import { readCommitted } from './committed-reader.ts';

/** Kills per policy; the long form of the suite sets `TIDEMARK_CRASH_RUNS=200`. */
const RUNS = Number(process.env['TIDEMARK_CRASH_RUNS'] ?? 2);
const SEED = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Date.now() % 1_000_000);
const TOPIC = 'crash';
/** Small, so that segments roll and journals grow while the load runs. */
const SEGMENT_BYTES = 20_000;

/** What was acknowledged: partition and offset of each value. */
type Acknowledged = Map<string, { readonly partition: number; readonly offset: number }>;

function client(broker: BrokerChild): Kafka {
  return new Kafka({
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2000,
    retry: { retries: 0, initialRetryTime: 10 },
  });
}

async function send(
  producer: Producer,
  values: readonly string[],
  acknowledged: Acknowledged,
): Promise<void> {
  const partition = values.length % 3;
  const messages = values.map(value => ({ key: value, value: `${value} ${'x'.repeat(300)}`, partition }));
  const [result] = await producer.send({ topic: TOPIC, messages });
  for (const [index, value] of values.entries()) {
    acknowledged.set(value, { partition, offset: Number(result?.baseOffset) + index });
  }
}

/** Produces until the broker dies, then says what it had acknowledged. Plain batches and transactions in turn. */
async function loadUntilDeath(broker: BrokerChild, run: number, random: () => number): Promise<Load> {
  const load: Load = { acknowledged: new Map(), committed: new Set(), undecided: new Set() };
  const plain = client(broker).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const transactional = transactionalProducer(broker, run);
  await plain.connect();
  await transactional.connect();
  await send(plain, [`${run}-first`], load.acknowledged); // on a busy machine the load must not begin after the end
  const delayMs = 10 + random() * 300;
  const death = new Promise<void>(resolve => setTimeout(() => resolve(broker.kill()), delayMs));
  await Promise.allSettled([
    plainLoad(plain, run, random, load),
    transactionLoad(transactional, run, random, load),
  ]);
  await death;
  await Promise.allSettled([plain.disconnect(), transactional.disconnect()]);
  return load;
}

interface Load {
  readonly acknowledged: Acknowledged;
  /** Transactions whose commit was acknowledged, each with its values. */
  readonly committed: Set<string>;
  /** Transactions whose commit was asked for when the broker died: whole or absent. */
  readonly undecided: Set<string>;
}

async function plainLoad(producer: Producer, run: number, random: () => number, load: Load): Promise<never> {
  for (let batch = 0; ; batch += 1) {
    const count = 1 + Math.floor(random() * 8);
    const values = Array.from({ length: count }, (_, index) => `${run}-${batch}-${index}`);
    await send(producer, values, load.acknowledged);
  }
}

async function transactionLoad(
  producer: Producer,
  run: number,
  random: () => number,
  load: Load,
): Promise<never> {
  for (let number = 0; ; number += 1) {
    const name = `txn-${run}-${number}`;
    const transaction = await producer.transaction();
    const messages = [0, 1, 2].map(partition => ({ partition, key: name, value: name }));
    await transaction.send({ topic: TOPIC, messages });
    if (random() < 0.3) {
      await transaction.abort();
      continue;
    }
    load.undecided.add(name);
    await transaction.commit();
    load.undecided.delete(name);
    load.committed.add(name);
  }
}

/** What a crash left open holds back readers until its owner comes back or its time is up: the owners come back. */
async function settleTransactions(broker: BrokerChild): Promise<void> {
  for (let run = 0; run < RUNS; run += 1) {
    const producer = transactionalProducer(broker, run);
    await producer.connect();
    await (await producer.transaction()).abort();
    await producer.disconnect();
  }
}

function transactionalProducer(broker: BrokerChild, run: number): Producer {
  return client(broker).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: `crash-${run}`,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 1 },
  });
}

interface Seen {
  readonly offsets: Map<string, string>;
  readonly values: string[];
}

/** Reads everything that is committed. */
async function readEverything(broker: BrokerChild): Promise<Seen> {
  const seen: Seen = { offsets: new Map(), values: [] };
  for (const partition of [0, 1, 2]) {
    for (const [offset, value] of await readCommitted(broker.address, TOPIC, partition)) {
      seen.offsets.set(`${partition}/${offset}`, value);
      seen.values.push(value);
    }
  }
  return seen;
}

function verify(seen: Seen, loads: readonly Load[]): void {
  for (const { acknowledged, committed, undecided } of loads) {
    for (const [value, { partition, offset }] of acknowledged) {
      assert.equal(
        seen.offsets.get(`${partition}/${offset}`),
        value,
        `acknowledged ${value} is not at its offset`,
      );
    }
    for (const name of committed) assert.equal(copies(seen, name), 3, `${name} was committed`);
    for (const name of undecided)
      assert.ok([0, 3].includes(copies(seen, name)), `${name} is neither whole nor absent`);
  }
  const known = new Set(loads.flatMap(load => [...load.committed, ...load.undecided]));
  const aborted = seen.values.filter(value => value.startsWith('txn-') && !known.has(value));
  assert.deepEqual(aborted, [], 'records of aborted transactions were read');
}

const copies = (seen: Seen, name: string): number => seen.values.filter(value => value === name).length;

/** Half a batch at the end of every log, as a machine leaves it that dies in the middle of a write. */
async function tearTails(folder: string, random: () => number): Promise<void> {
  for (const path of await logFiles(folder)) {
    if (random() < 0.5)
      await appendFile(path, Buffer.from(Array.from({ length: 90 }, () => Math.floor(random() * 256))));
  }
}

async function logFiles(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'topics'), { recursive: true });
  const logs = names.filter(name => name.endsWith('.log')).toSorted();
  const newest = new Map(logs.map(name => [name.split('/').slice(0, -1).join('/'), name]));
  return [...newest.values()].map(name => join(folder, 'topics', name));
}

describe(`kill -9 under load (seed ${SEED}, ${RUNS} runs a policy)`, { concurrency: 2 }, () => {
  for (const fsync of ['os', 'interval', 'group']) {
    test(`loses nothing acknowledged and keeps transactions whole: ${fsync}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tidemark-crash-'));
      const random = seededRandom(SEED);
      const loads: Load[] = [];
      try {
        for (let run = 0; run < RUNS; run += 1) {
          const broker = await forkBroker(folder, fsync, SEGMENT_BYTES);
          loads.push(await loadUntilDeath(broker, run, random));
          await tearTails(folder, random);
        }
        const survivor = await forkBroker(folder, fsync, SEGMENT_BYTES);
        try {
          await settleTransactions(survivor);
          verify(await readEverything(survivor), loads);
          assert.ok(
            loads.some(load => load.acknowledged.size > 0),
            'nothing was acknowledged at all',
          );
          assert.deepEqual(
            survivor.messages.filter(({ kind }) => kind === 'error'),
            [],
          );
        } finally {
          await survivor.kill();
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});

test('a flipped bit in the unsealed tail cuts the log there and is told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-flip-'));
  try {
    const first = await forkBroker(folder);
    const producer = client(first).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const acknowledged: Acknowledged = new Map();
    for (const batch of [1, 2, 3]) await send(producer, [`b${batch}`], acknowledged);
    await first.kill();
    await producer.disconnect();
    for (const path of await logFiles(folder)) {
      const file = await open(path, 'r+');
      const { size } = await file.stat();
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, size - 10);
      await file.write(Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, size - 10);
      await file.close();
    }
    const second = await forkBroker(folder);
    try {
      const seen = await readEverything(second);
      assert.deepEqual(seen.values.toSorted(), ['b1', 'b2']);
      assert.ok(
        second.messages.some(({ kind, message }) => kind === 'warning' && message?.includes('torn tail')),
      );
    } finally {
      await second.kill();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
