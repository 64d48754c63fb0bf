import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Admin, Kafka, type KafkaConfig, logLevel, Partitioners } from 'kafkajs';
import { type BrokerOptions, type RunningBroker, startBroker } from '../src/index.ts';

function client(broker: RunningBroker, config: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 3, initialRetryTime: 20 },
    ...config,
  });
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-broker-test-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withBroker<T>(
  options: BrokerOptions,
  work: (broker: RunningBroker) => Promise<T>,
): Promise<T> {
  const broker = await startBroker(options);
  try {
    return await work(broker);
  } finally {
    await broker.stop();
  }
}

async function withAdmin<T>(broker: RunningBroker, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = client(broker).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function send(
  broker: RunningBroker,
  topic: string,
  values: readonly (readonly [string, string | null])[],
) {
  const producer = client(broker).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    for (const [key, value] of values)
      await producer.send({ topic, messages: [{ key, value, partition: 0 }] });
  } finally {
    await producer.disconnect();
  }
}

describe('starting and stopping', () => {
  test('a second broker on the same folder is refused in one clear line; a dead one does not stop the next', async () => {
    await withFolder(async folder => {
      await withBroker({ dataDir: folder }, async () => {
        await assert.rejects(startBroker({ dataDir: folder }), { code: 'BROKER_DATA_IN_USE' });
      });
      await writeFile(join(folder, 'broker.lock'), '4194304 1');
      await withBroker({ dataDir: folder }, async () => {});
    });
  });

  test('a taken port is named', async () => {
    await withBroker({}, async broker => {
      await assert.rejects(startBroker({ port: broker.port }), { code: 'BROKER_PORT_TAKEN' });
    });
  });

  test('stopping twice is stopping once, also with clients that wait for something', async () => {
    const broker = await startBroker();
    const consumer = client(broker).consumer({ groupId: 'g' });
    await consumer.connect();
    await withAdmin(broker, admin => admin.createTopics({ topics: [{ topic: 't' }] }));
    await consumer.subscribe({ topic: 't' });
    await consumer.run({ eachMessage: async () => {} });
    await Promise.all([broker.stop(), broker.stop()]);
    await consumer.disconnect();
  });

  test('topics, settings, offsets, records and the cluster id outlive a stop', async () => {
    await withFolder(async folder => {
      const clusterId = await withBroker({ dataDir: folder }, async broker => {
        await withAdmin(broker, async admin => {
          const configEntries = [{ name: 'retention.ms', value: '777000' }];
          await admin.createTopics({ topics: [{ topic: 't', numPartitions: 2, configEntries }] });
        });
        await send(broker, 't', [
          ['a', '1'],
          ['b', '2'],
        ]);
        await withAdmin(broker, admin =>
          admin.setOffsets({ groupId: 'g', topic: 't', partitions: [{ partition: 0, offset: '1' }] }),
        );
        return broker.clusterId;
      });
      await withBroker({ dataDir: folder }, async broker => {
        assert.equal(broker.clusterId, clusterId);
        const { partitions, groups } = broker.snapshot();
        assert.deepEqual(
          partitions.map(({ topic, partition, highWatermark }) => [topic, partition, highWatermark]),
          [
            ['t', 0, 2],
            ['t', 1, 0],
          ],
        );
        assert.deepEqual(groups, [{ group: 'g', state: 'Empty', members: 0 }]);
        await withAdmin(broker, async admin => {
          const offsets = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] });
          assert.equal(offsets[0]?.partitions[0]?.offset, '1');
        });
      });
    });
  });
});

describe('upkeep', () => {
  test('retention by time and by size removes whole segments from the front', async () => {
    await withBroker({ topicDefaults: { 'segment.bytes': '300' } }, async broker => {
      const configured = (name: string, value: string) => [{ name, value }];
      await withAdmin(broker, admin =>
        admin.createTopics({
          topics: [
            { topic: 'timed', configEntries: configured('retention.ms', '1') },
            { topic: 'sized', configEntries: configured('retention.bytes', '600') },
          ],
        }),
      );
      const values = Array.from({ length: 20 }, (_, index) => [`k${index}`, 'v'.repeat(60)] as const);
      await send(broker, 'timed', values);
      await send(broker, 'sized', values);
      await broker.runUpkeep();
      const byTopic = new Map(broker.snapshot().partitions.map(partition => [partition.topic, partition]));
      assert.equal(byTopic.get('timed')?.logStartOffset, 20);
      const sized = byTopic.get('sized');
      assert.ok(
        sized && sized.sizeBytes >= 600 && sized.sizeBytes < 1000,
        `${sized?.sizeBytes} bytes are left`,
      );
      assert.ok(sized.logStartOffset > 0 && sized.highWatermark === 20);
    });
  });

  test('compaction keeps the last value of each key at its offset, and refuses records without a key', async () => {
    await withFolder(async folder => {
      await withBroker({ dataDir: folder, topicDefaults: { 'segment.bytes': '400' } }, async broker => {
        await withAdmin(broker, admin =>
          admin.createTopics({
            topics: [{ topic: 'c', configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
          }),
        );
        const rounds = [1, 2, 3, 4].flatMap(round =>
          ['a', 'b', 'c'].map(key => [key, `${key}${round}`] as const),
        );
        await send(broker, 'c', [
          ...rounds,
          ['a', null],
          ...Array.from({ length: 6 }, () => ['z', 'fill'] as const),
        ]);
        const before = broker.snapshot().partitions[0]?.sizeBytes ?? 0;
        await broker.runUpkeep();
        assert.ok((broker.snapshot().partitions[0]?.sizeBytes ?? before) < before, 'it became smaller');
        const read = await readAll(broker, 'c');
        const last = new Map(read.map(([, key, value]) => [key, value]));
        assert.deepEqual([last.get('a'), last.get('b'), last.get('c')], [null, 'b4', 'c4']);
        assert.ok(
          read.length < 19 &&
            read.every(([offset], index) => index === 0 || offset > (read[index - 1]?.[0] ?? -1)),
        );
        const producer = client(broker, { retry: { retries: 0 } }).producer();
        await producer.connect();
        await assert.rejects(producer.send({ topic: 'c', messages: [{ value: 'no key' }] }));
        await producer.disconnect();
      });
      await withBroker({ dataDir: folder }, async broker => {
        assert.ok((await readAll(broker, 'c')).some(([, key, value]) => key === 'b' && value === 'b4'));
      });
    });
  });
});

async function readAll(broker: RunningBroker, topic: string): Promise<[number, string, string | null][]> {
  const end = broker.snapshot().partitions.find(partition => partition.topic === topic)?.highWatermark ?? 0;
  const consumer = client(broker).consumer({
    groupId: `read-${topic}-${Math.random()}`,
    maxWaitTimeInMs: 50,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: [number, string, string | null][] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { offset, key, value } of batch.messages) {
        found.push([Number(offset), key?.toString() ?? '', value?.toString() ?? null]);
      }
      if (Number(batch.lastOffset()) + 1 >= end) resolve();
    },
  });
  await promise;
  await consumer.disconnect();
  return found;
}

describe('faults on purpose', () => {
  let broker: RunningBroker;
  before(async () => {
    broker = await startBroker();
    await send(broker, 'f', [['k', 'v']]);
  });
  after(() => broker.stop());

  test('the next request of an API is answered with an error, and the one after it normally', async () => {
    broker.faults.intercept({ api: 'Produce' }, { kind: 'error', error: 'invalidTopic' });
    await assert.rejects(send(broker, 'f', [['k', 'v']]), /topic/i);
    await send(broker, 'f', [['k', 'v']]);
  });

  test('a closed connection and a late answer are survived by a client that tries again', async () => {
    broker.faults.intercept({ api: 'Produce', times: 1 }, { kind: 'close' });
    await send(broker, 'f', [['k', 'v']]);
    broker.faults.intercept({ api: 'Produce' }, { kind: 'delay', delayMs: 50 });
    await send(broker, 'f', [['k', 'v']]);
  });

  test('a full disk refuses producers while readers are served, and everything goes on when there is room', async () => {
    const end = broker.snapshot().partitions[0]?.highWatermark ?? 0;
    broker.faults.refuseWrites(true);
    await assert.rejects(send(broker, 'f', [['k', 'refused']]));
    assert.equal((await readAll(broker, 'f')).length, end);
    broker.faults.refuseWrites(false);
    await send(broker, 'f', [['k', 'accepted']]);
    assert.deepEqual((await readAll(broker, 'f')).at(-1), [end, 'k', 'accepted']);
  });

  test('a frozen broker answers when it thaws', async () => {
    broker.faults.freeze();
    const sent = send(broker, 'f', [['k', 'v']]);
    const isLate = await Promise.race([
      sent.then(() => false),
      new Promise(resolve => setTimeout(resolve, 150, true)),
    ]);
    assert.equal(isLate, true);
    broker.faults.thaw();
    await sent;
  });
});
