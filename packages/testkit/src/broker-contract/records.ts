import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompressionAlgorithms, Producer, stringSerializers } from '@platformatic/kafka';
import { CompressionTypes } from 'kafkajs';
import { kcat, kcatIsPresent } from './kcat.ts';
import { readAll } from './read-all.ts';
import { type BrokerTarget, createTopic, kafkajsClient, uniqueName, withProducer } from './target.ts';

const VALUES = Array.from({ length: 50 }, (_, index) => `value ${index} ${'x'.repeat(index * 7)}`);

/** Records come out as they went in, whoever wrote and whoever reads, however they are compressed. */
export function recordsContract(target: BrokerTarget): void {
  for (const compression of Object.values(CompressionAlgorithms)) {
    test(`@platformatic/kafka writes ${compression} and every client reads it back`, async () => {
      const topic = await createTopic(target, `pl-${compression}`);
      const producer = new Producer({
        clientId: 'contract-producer',
        bootstrapBrokers: [target.address()],
        serializers: stringSerializers,
        compression,
      });
      await producer.send({ messages: VALUES.map((value, index) => ({ topic, key: `k${index}`, value })) });
      await producer.close();
      const read = await readAll(target, topic, { count: VALUES.length });
      assert.deepEqual(
        read.map(({ value }) => value),
        VALUES,
      );
      if (kcatIsPresent) assert.deepEqual(await kcat(target, ['-C', '-t', topic, '-e', '-q']), VALUES);
    });
  }
  test('kafkajs writes gzip, idempotent, and offsets count up from zero', () => kafkajsOffsets(target));
  test('keys, nulls, empty values and headers survive', () => shapesSurvive(target));

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    test(`kcat writes ${codec} and reads it back`, {
      skip: !kcatIsPresent && 'kcat is not installed',
    }, async () => {
      const topic = await createTopic(target, `kcat-${codec}`, { partitions: 3 });
      await kcat(target, ['-P', '-t', topic, '-z', codec], VALUES.join('\n'));
      const read = await kcat(target, ['-C', '-t', topic, '-e', '-q']);
      assert.deepEqual(read.toSorted(), VALUES.toSorted());
      const viaNode = await readAll(target, topic, { count: VALUES.length });
      assert.deepEqual(viaNode.map(({ value }) => value).toSorted(), VALUES.toSorted());
    });
  }
}

async function kafkajsOffsets(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'kjs-gzip');
  const messages = VALUES.map(value => ({ value }));
  await withProducer(
    target,
    async producer => {
      const [first] = await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
      const [second] = await producer.send({ topic, messages });
      assert.equal(first?.baseOffset, '0');
      assert.equal(second?.baseOffset, String(VALUES.length));
    },
    { idempotent: true },
  );
  const read = await readAll(target, topic, { count: VALUES.length * 2 });
  assert.deepEqual(
    read.map(({ offset }) => Number(offset)),
    Array.from({ length: VALUES.length * 2 }, (_, index) => index),
  );
}

async function shapesSurvive(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'shapes');
  await withProducer(target, producer =>
    producer.send({
      topic,
      messages: [
        { key: null, value: 'no key' },
        { key: 'tombstone', value: null },
        { key: '', value: '' },
        { key: 'headers', value: 'v', headers: { one: '1', many: ['a', 'b'] } },
      ],
    }),
  );
  const consumer = kafkajsClient(target).consumer({ groupId: uniqueName('shapes') });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const seen: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await consumer.run({
    eachMessage: async ({ message }) => {
      const headers = JSON.stringify(message.headers, (_name, value: unknown) =>
        typeof value === 'object' && value !== null && 'data' in value
          ? Buffer.from(value.data as number[]).toString()
          : value,
      );
      seen.push([message.key?.toString() ?? null, message.value?.toString() ?? null, headers]);
      if (seen.length === 4) resolve();
    },
  });
  await promise;
  await consumer.disconnect();
  assert.deepEqual(seen, [
    [null, 'no key', '{}'],
    ['tombstone', null, '{}'],
    ['', '', '{}'],
    ['headers', 'v', '{"one":"1","many":["a","b"]}'],
  ]);
}
