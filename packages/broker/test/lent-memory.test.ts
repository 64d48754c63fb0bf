import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fetch } from '../src/api/01-fetch.ts';
import { produce } from '../src/api/00-produce.ts';
import { createTopics } from '../src/api/19-create-topics.ts';
import { type RunningBroker, startBroker } from '../src/index.ts';
import { LentMemory } from '../src/storage/lent-memory.ts';
import { baseOffsetAt, batchSizeAt, isIntactBatch } from '../src/storage/record-batch.ts';
import { batchOf } from './batches.ts';
import { encodeMessage, framed } from './frames.ts';
import { RawClient } from './raw-client.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('lent memory', () => {
  test('is never lent to two, whatever is taken, kept by others and given back in which order', () => {
    const step = fc.record({
      do: fc.constantFrom('take', 'retain', 'release'),
      bytes: fc.integer({ min: 1, max: 3 * MIB }),
      which: fc.nat(20),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(0, MIB, 64 * MIB),
        (steps, keptBytesMax) => {
          const memory = new LentMemory(keptBytesMax);
          const lent: { readonly view: Buffer; readonly mark: number; users: number }[] = [];
          for (const [mark, { do: action, bytes, which }] of steps.entries()) {
            const entry = lent[which % Math.max(lent.length, 1)];
            if (action === 'take') {
              const view = memory.take(bytes);
              assert.equal(view.length, bytes);
              view.fill(mark, 0, 1).fill(mark, bytes - 1);
              lent.push({ view, mark, users: 1 });
            } else if (entry && action === 'retain') {
              memory.retain(entry.view.subarray(1));
              entry.users += 1;
            } else if (entry) {
              memory.release(entry.view);
              entry.users -= 1;
              if (entry.users === 0) lent.splice(lent.indexOf(entry), 1);
            }
            for (const { view, mark: own } of lent) assert.deepEqual([view[0], view.at(-1)], [own, own]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is lent again when its last user gave it back, and not before', () => {
    const memory = new LentMemory();
    const first = memory.take(100 * KIB);
    memory.retain(first);
    memory.release(first);
    assert.notEqual(memory.take(100 * KIB).buffer, first.buffer);
    memory.release(first);
    assert.equal(memory.take(99 * KIB).buffer, first.buffer);
  });
});

test('memory of sizes that nobody wants any more makes room for those that are wanted', () => {
  const memory = new LentMemory(4 * MIB);
  const before = Array.from({ length: 64 }, () => memory.take(64 * KIB));
  for (const view of before) memory.release(view);
  const first = memory.take(MIB);
  memory.release(first);
  assert.equal(memory.take(MIB).buffer, first.buffer);
});

describe('a reader that takes its time', () => {
  let folder: string;
  let broker: RunningBroker;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-lent-'));
    broker = await startBroker({
      dataDir: join(folder, 'data'),
      fsync: 'os',
      limits: { cacheBytesMax: 8 * MIB },
    });
  });
  after(async () => {
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The only record of a batch says which batch it is, all over. */
  const valueOf = (batch: number) => String.fromCharCode(97 + (batch % 26)).repeat(60 * KIB);

  async function write(client: RawClient, from: number, to: number): Promise<void> {
    for (let first = from; first < to; first += 8) {
      const calls = Array.from({ length: Math.min(8, to - first) }, (_, index) => {
        const records = batchOf({ records: [{ value: valueOf(first + index) }] });
        const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
        return client.call<unknown>(produce, 9, {
          transactionalId: null,
          acks: -1,
          timeoutMs: 1000,
          topicData,
        });
      });
      await Promise.all(calls);
    }
  }

  test('gets what was in the log, although the cache dropped it and its memory was used again', async () => {
    const client = new RawClient(broker.address);
    const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
    await client.call(createTopics, 4, { topics, timeoutMs: 1000, validateOnly: false });
    const batches = 120;
    await write(client, 0, batches);
    const reader = new SlowReader(broker.port);
    const rounds = 3; // more than the buffers of both sockets hold
    for (let round = 0; round < rounds; round += 1)
      for (let offset = 0; offset < batches; offset += 15) reader.ask(offset);
    await reader.firstBytes();
    await write(client, batches, 4 * batches);
    const read = await reader.readAll((rounds * batches) / 15);
    for (const [index, records] of read.entries()) {
      const from = (index % (batches / 15)) * 15;
      let expected = from;
      for (let at = 0; at < records.length; at += batchSizeAt(records, at)) {
        const batch = records.subarray(at, at + batchSizeAt(records, at));
        assert.ok(isIntactBatch(batch), `batch ${expected} of answer ${index} is intact`);
        assert.equal(baseOffsetAt(batch, 0), expected);
        assert.ok(batch.includes(valueOf(expected).slice(0, 1000)));
        expected += 1;
      }
      assert.ok(expected >= from + 15, `answer ${index} has the batches that fit`);
    }
    client.close();
  });
});

/** Asks for much and reads nothing until it is told to. */
class SlowReader {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.pause();
  }

  ask(offset: number): void {
    const partitions = [
      { partition: 0, currentLeaderEpoch: -1, fetchOffset: offset, partitionMaxBytes: MIB },
    ];
    const request = {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 50 * MIB,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: 't', partitions }],
      forgottenTopicsData: [],
      rackId: '',
    };
    this.#socket.write(framed(encodeMessage(fetch, 11, request)));
  }

  /** Resolves when the broker has begun to answer. */
  firstBytes(): Promise<void> {
    return new Promise(resolve => this.#socket.once('readable', resolve));
  }

  /** The records of each of `count` answers. */
  async readAll(count: number): Promise<Buffer[]> {
    const pieces: Buffer[] = [];
    const answers: Buffer[] = [];
    let bytes = 0;
    for await (const piece of this.#socket as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes < count * 900 * KIB) continue; // putting everything together for each piece would take for ever
      const received = Buffer.concat(pieces);
      answers.length = 0;
      for (let at = 0; at + 4 <= received.length && answers.length < count; ) {
        const end = at + 4 + received.readInt32BE(at);
        if (end > received.length) break;
        answers.push(received.subarray(at + recordsAt, end));
        at = end;
      }
      if (answers.length === count) break;
    }
    this.#socket.destroy();
    return answers;
  }
}

/** Length, correlation id, throttle, error, session, topics, name `t`, partitions, and one up to its records. */
const recordsAt = 4 + 4 + 4 + 2 + 4 + 4 + 3 + 4 + (4 + 2 + 8 * 3 + 4 + 4 + 4);
