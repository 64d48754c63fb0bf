import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { systemClock } from '@tidemark/kernel';
import { eventually, freePort } from '@tidemark/testkit';
import { Kafka, logLevel } from 'kafkajs';
import type { EventBroker } from '../src/broker/event-broker.ts';
import { createKafkaBroker } from '../src/broker/kafka-broker.ts';

describe('the event broker', () => {
  let folder: string;
  let server: RunningBroker;
  let broker: EventBroker;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-api-broker-'));
    server = await startBroker({ dataDir: folder, port: await freePort('127.0.0.1') });
    broker = createKafkaBroker({
      brokers: [server.address],
      produceTimeoutMs: 3000,
      clock: systemClock,
      random: Math.random,
    });
  });
  after(async () => {
    await broker.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const event = (key: string, value = '{}') => ({
    topic: 'events.main',
    key,
    value,
    headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  });
  const written = async () =>
    (await broker.endOffsets(['events.main'])).reduce((sum, { endOffset }) => sum + Number(endOffset), 0);

  test('answers the probe, and knows no ends before there is a topic', async () => {
    await broker.check(AbortSignal.timeout(2000));
    assert.deepEqual(await broker.endOffsets(['events.main', 'tidb_cdc']), []);
  });

  test('creates the topic with its partitions, and takes key, value and headers as they are', async () => {
    await Promise.all([broker.publish(event('user:1', '{"text":"Größe"}')), broker.publish(event('user:2'))]);
    const ends = await broker.endOffsets(['events.main', 'tidb_cdc']);
    assert.equal(ends.length, 6);
    assert.equal(await written(), 2);
    const messages = await readAll(2);
    const first = messages.find(({ key }) => key === 'user:1');
    assert.deepEqual(first, {
      key: 'user:1',
      value: '{"text":"Größe"}',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
  });

  async function readAll(count: number) {
    const kafka = new Kafka({ brokers: [server.address], logLevel: logLevel.NOTHING });
    const consumer = kafka.consumer({ groupId: 'reader' });
    const found: { key: string; value: string; traceparent: string }[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: 'events.main', fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const { key, value, headers } = message;
        found.push({ key: String(key), value: String(value), traceparent: String(headers?.['traceparent']) });
      },
    });
    await eventually('the messages came', () => found.length >= count);
    await consumer.disconnect();
    return found;
  }

  test('keeps the events of one key in one partition', async () => {
    const before = new Map(
      (await broker.endOffsets(['events.main'])).map(end => [end.partition, end.endOffset]),
    );
    for (let n = 0; n < 5; n += 1) await broker.publish(event('user:7'));
    const after = await broker.endOffsets(['events.main']);
    const grown = after.filter(({ partition, endOffset }) => endOffset !== before.get(partition));
    assert.equal(grown.length, 1);
  });

  test('repeats what the broker did not take, and gives up on what it never answers', async () => {
    const before = await written();
    server.faults.intercept({ api: 'Produce' }, { kind: 'close' });
    await broker.publish(event('user:8'));
    assert.equal(await written(), before + 1);
    server.faults.intercept({ api: 'Produce' }, { kind: 'drop' });
    await assert.rejects(broker.publish(event('user:8')), { code: 'BROKER_UNAVAILABLE' });
    await broker.publish(event('user:8'));
    assert.equal(await written(), before + 2);
  });

  test('refuses while the broker is away, and goes on by itself when it is back', async () => {
    const before = await written();
    const { port } = server;
    await server.stop();
    const begin = performance.now();
    await assert.rejects(broker.publish(event('user:1')), { code: 'BROKER_UNAVAILABLE', statusCode: 503 });
    assert.ok(performance.now() - begin < 6000);
    await assert.rejects(broker.check(AbortSignal.timeout(1000)), { code: 'BROKER_UNREACHABLE' });
    await assert.rejects(broker.endOffsets(['events.main']));

    const waiting = broker.publish(event('user:1'));
    server = await startBroker({ dataDir: folder, port });
    await waiting;
    await broker.publish(event('user:1'));
    assert.equal(await written(), before + 2);
  });
});
