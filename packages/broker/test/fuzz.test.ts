import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom } from '@tidemark/kernel';
import { produce } from '../src/api/00-produce.ts';
import { createTopics } from '../src/api/19-create-topics.ts';
import { type BrokerLog, type RunningBroker, startBroker } from '../src/index.ts';
import { encodeBatch, readBatchHeader } from '../src/storage/record-batch.ts';
import { batchOf } from './batches.ts';
import { compressors } from './compressors.ts';
import { encodeMessage, framed, validFrames } from './frames.ts';
import { mutated, mutatedBatch } from './mutations.ts';
import { RawClient } from './raw-client.ts';

/** A million (`TIDEMARK_FUZZ_FRAMES=1000000`) is for a night. */
const FRAMES = Number(process.env['TIDEMARK_FUZZ_FRAMES'] ?? 100_000);
const SEED = Number(process.env['TIDEMARK_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const WORKERS = 16;
/** Frames that are sent down one connection before it is thrown away. */
const BURST = 20;
/** A peer that gets no more answers for this long leaves: its request waits for something that will not come. */
const PATIENCE_MS = 50;
/** What the broker may hold on to: topics and groups that the frames made up, and what they wrote. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
/** The broker looks into the records that are written to this topic. */
const COMPACTED = 'compacted';

describe(`mutated frames (seed ${SEED})`, () => {
  let broker: RunningBroker;
  const defects: unknown[] = [];
  const logger: BrokerLog = {
    info() {},
    warn() {},
    error: (facts, message) => defects.push(message, facts),
  };

  before(async () => {
    broker = await startBroker({ logger, limits: { partitionsMax: 2000 } });
    await createTopic(broker, COMPACTED, [{ name: 'cleanup.policy', value: 'compact' }]);
  });
  after(() => broker.stop());

  test(`${FRAMES} of them neither crash the broker nor leave anything behind`, {
    timeout: 60_000 + FRAMES * 2,
  }, async t => {
    const random = seededRandom(SEED);
    const seeds = [1, 2, 3].flatMap(() => validFrames(random)).concat(produceFrames(random));
    const startedMs = performance.now();
    await send(broker.port, FRAMES / 10, seeds, random); // what is built once is built now
    const before = heapBytes();
    await send(broker.port, FRAMES - FRAMES / 10, seeds, random);
    const rate = FRAMES / ((performance.now() - startedMs) / 1000);
    assert.deepEqual(defects, []);
    await everythingIsClosed(broker);
    const left = heapBytes() - before;
    t.diagnostic(`${Math.round(rate)} frames a second, memory grew by ${left} bytes`);
    assert.ok(left < GROWTH_BYTES_MAX, `${left} bytes more than after the first tenth`);
    await createTopic(broker, 'still-served');
  });
});

async function send(
  port: number,
  frames: number,
  seeds: readonly Buffer[],
  random: () => number,
): Promise<void> {
  let left = frames;
  const workers = Array.from({ length: WORKERS }, async () => {
    while (left > 0) {
      const count = Math.min(BURST, left);
      left -= count;
      await sendBurst(
        port,
        Array.from({ length: count }, () => framed(mutated(seeds, random))),
      );
    }
  });
  await Promise.all(workers);
}

/**
 * Whatever the broker makes of a frame, it answers it, closes the connection, or parks it. A frame that closed the
 * connection takes those behind it along: they are sent again down another one.
 */
async function sendBurst(port: number, frames: readonly Buffer[]): Promise<void> {
  await new Promise<void>(resolve => {
    const socket: Socket = connect(port, '127.0.0.1');
    let next = 0;
    const sendNext = () => {
      const frame = frames[next];
      next += 1;
      if (frame) socket.write(frame);
      else socket.destroy();
    };
    socket.on('connect', sendNext);
    socket.on('data', sendNext);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(next < frames.length ? sendBurst(port, frames.slice(next)) : undefined));
  });
}

async function everythingIsClosed(broker: RunningBroker): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (let now = broker.snapshot(); now.requestBytes > 0 || now.connections > 0; now = broker.snapshot()) {
    assert.ok(
      performance.now() < deadline,
      `stuck: ${now.connections} connections, ${now.requestBytes} bytes`,
    );
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

async function createTopic(
  { address }: RunningBroker,
  name: string,
  configs: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<void> {
  const client = new RawClient(address);
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs };
  const request = { topics: [topic], timeoutMs: 1000, validateOnly: false };
  const { topics } = await client.call<{ topics: { errorCode: number }[] }>(createTopics, 2, request);
  client.close();
  assert.equal(topics[0]?.errorCode, 0, `${name} was not created`);
}

/** Batches with damaged records, in every compression, behind a right checksum. */
function produceFrames(random: () => number): Buffer[] {
  const plain = batchOf({
    records: [1, 2, 3].map(index => ({ key: `k${index}`, value: 'tide '.repeat(40) })),
  });
  const batches = compressors.map((compress, codec) => {
    const { lastOffset, ...header } = readBatchHeader(plain);
    return encodeBatch(
      { ...header, attributes: codec, lastOffsetDelta: lastOffset },
      compress(plain.subarray(61)),
    );
  });
  return batches.flatMap(batch =>
    Array.from({ length: 20 }, (_, index) => {
      const records = index === 0 ? batch : mutatedBatch(batch, random);
      const topicData = [{ name: COMPACTED, partitionData: [{ index: 0, records }] }];
      return encodeMessage(produce, 7, { transactionalId: null, acks: -1, timeoutMs: 100, topicData });
    }),
  );
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
