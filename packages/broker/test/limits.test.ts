import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { produce } from '../src/api/00-produce.ts';
import { fetch } from '../src/api/01-fetch.ts';
import { metadata } from '../src/api/03-metadata.ts';
import { type BrokerLimits, type RunningBroker, startBroker } from '../src/index.ts';
import { batchOf } from './batches.ts';
import { apiVersionsRequest, encodeMessage, framed } from './frames.ts';
import { RawClient } from './raw-client.ts';

const MIB = 1024 * 1024;

interface Trial {
  readonly broker: RunningBroker;
  readonly warnings: readonly string[];
  /** Another peer, which no other's misbehaviour may harm. */
  readonly served: () => Promise<void>;
}

async function withLimits(
  limits: Partial<BrokerLimits>,
  work: (trial: Trial) => Promise<void>,
): Promise<void> {
  const warnings: string[] = [];
  const warn = (facts: Record<string, unknown>, message: string) =>
    warnings.push(`${message}: ${String(facts['reason'])}`);
  const error = (_facts: Record<string, unknown>, message: string) => assert.fail(message);
  const broker = await startBroker({ limits, logger: { info() {}, warn, error } });
  const served = async () => {
    const socket = await open(broker);
    socket.write(framed(apiVersionsRequest(1)));
    await once(socket, 'data');
    socket.destroy();
    await closed(socket);
  };
  try {
    await work({ broker, warnings, served });
  } finally {
    await broker.stop();
  }
}

async function open(broker: RunningBroker): Promise<Socket> {
  const socket = connect(broker.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** A peer that is dropped may see a reset as well. */
const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => socket.once('close', () => resolve()));

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !holds(); ) {
    assert.ok(performance.now() < deadline, 'not within ten seconds');
    await sleep(5);
  }
}

describe('limits', () => {
  test('one connection too many is refused with one log line; there is room again when another leaves', async () => {
    await withLimits({ connectionsMax: 3 }, async ({ broker, warnings, served }) => {
      const sockets = [await open(broker), await open(broker), await open(broker)];
      await until(() => broker.snapshot().connections === 3);
      const refused = await open(broker);
      await closed(refused);
      assert.deepEqual(warnings, ['connection refused: more than 3 connections']);
      sockets[0]?.destroy();
      await until(() => broker.snapshot().connections === 2);
      await served();
      for (const socket of sockets) socket.destroy();
    });
  });

  test('a connection without traffic is closed, quietly', async () => {
    await withLimits({ idleMs: 400 }, async ({ broker, warnings, served }) => {
      const idle = await open(broker);
      await closed(idle);
      assert.deepEqual(warnings, []);
      await served();
    });
  });

  test('a frame above the limit is refused before it is read', async () => {
    await withLimits({ frameBytesMax: 1000 }, async ({ broker, warnings, served }) => {
      const large = await open(broker);
      large.write(framed(Buffer.alloc(1001)).subarray(0, 8));
      await closed(large);
      assert.deepEqual(warnings, ['connection dropped: a frame of 1001 bytes']);
      await served();
    });
  });

  test('peers that begin large requests and do not end them lose the largest, and nobody else is harmed', async () => {
    await withLimits({ incompleteBytesMax: 3 * MIB }, async ({ broker, warnings, served }) => {
      const begun = async (mib: number) => {
        const socket = await open(broker);
        socket.write(framed(Buffer.alloc(10 * MIB)).subarray(0, mib * MIB));
        return socket;
      };
      const small = await begun(1);
      await until(() => broker.snapshot().incompleteBytes >= MIB);
      const large = await begun(3);
      await closed(large);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /does not end, and this connection has most of it: \d+ bytes/);
      assert.equal(small.destroyed, false);
      await served();
      small.destroy();
      await until(() => broker.snapshot().incompleteBytes === 0);
    });
  });

  test('nothing more is read from a peer that does not read, and it gets everything when it does', async () => {
    await withLimits({ unsentBytesMax: MIB }, async ({ broker, served }) => {
      await fill(broker, 8);
      const fetches = 40;
      const slow = await open(broker);
      slow.pause();
      for (let index = 0; index < fetches; index += 1) slow.write(framed(fetchFrame(index, 4 * MIB)));
      await until(() => broker.snapshot().unsentBytes > MIB);
      await served();
      assert.ok(broker.snapshot().unsentBytes < 18 * MIB, 'four answers, not forty');
      const answers = await readAnswers(slow, fetches);
      assert.deepEqual(
        answers,
        Array.from({ length: fetches }, (_, index) => index),
      );
      slow.destroy();
      await until(() => broker.snapshot().unsentBytes === 0);
    });
  });

  test('of many that do not read, the one with most unread answers is dropped', async () => {
    await withLimits({ unsentBytesTotalMax: 20 * MIB }, async ({ broker, warnings, served }) => {
      await fill(broker, 8);
      const sockets = await Promise.all(Array.from({ length: 6 }, () => open(broker)));
      for (const socket of sockets) socket.pause().write(framed(fetchFrame(1, 8 * MIB)));
      await until(() => warnings.length > 0);
      assert.match(warnings[0] ?? '', /too many answers are not read/);
      assert.ok(broker.snapshot().unsentBytes <= 20 * MIB);
      await served();
      for (const socket of sockets) socket.destroy();
    });
  });
});

/** Writes a topic of about so many MiB. */
async function fill(broker: RunningBroker, mib: number): Promise<void> {
  const client = new RawClient(broker.address);
  await client.call(metadata, 4, { topics: [{ name: 'large' }], allowAutoTopicCreation: true });
  for (let index = 0; index < mib * 2; index += 1) {
    const records = batchOf({ records: [{ value: 'x'.repeat(MIB / 2) }] });
    const topicData = [{ name: 'large', partitionData: [{ index: 0, records }] }];
    await client.call(produce, 7, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
  }
  client.close();
}

function fetchFrame(correlationId: number, partitionMaxBytes: number): Buffer {
  const partition = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset: 0,
    logStartOffset: -1,
    partitionMaxBytes,
  };
  const request = {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 100 * MIB,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: 'large', partitions: [partition] }],
    forgottenTopicsData: [],
    rackId: '',
  };
  return encodeMessage(fetch, 11, request, correlationId);
}

/** Correlation ids of the answers, in the order they came. */
async function readAnswers(socket: Socket, count: number): Promise<number[]> {
  const ids: number[] = [];
  let header = Buffer.alloc(0);
  let skip = 0;
  socket.on('data', piece => {
    for (let at = 0; at < piece.length; ) {
      if (skip > 0) {
        const skipped = Math.min(skip, piece.length - at);
        skip -= skipped;
        at += skipped;
        continue;
      }
      header = Buffer.concat([header, piece.subarray(at, at + 1)]);
      at += 1;
      if (header.length < 8) continue;
      ids.push(header.readInt32BE(4));
      skip = header.readInt32BE(0) - 4;
      header = Buffer.alloc(0);
    }
  });
  socket.resume();
  await until(() => ids.length === count && skip === 0);
  return ids;
}
