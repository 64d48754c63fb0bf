import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { LagReader } from '@tidemark/connectors';
import { produce } from '@tidemark/connectors/synthetic';
import { topics } from '@tidemark/contracts';
import { compose } from '@tidemark/producer';
import { eventually } from '@tidemark/testkit';

describe('the producer on a real broker', () => {
  let broker: RunningBroker;
  let service: ReturnType<typeof compose>;
  let reader: LagReader;
  before(async () => {
    broker = await startBroker({ autoCreateTopics: false });
    reader = new LagReader({ brokers: [broker.address], clientId: 'test' });
    service = compose({ KAFKA_BROKERS: broker.address, PRODUCER_ADDR: '127.0.0.1:0', LOG_LEVEL: 'silent' });
    await service.start();
  });
  after(async () => {
    await service.stop();
    await reader.close();
    await broker.stop();
  });

  const request = async (method: string, path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${service.port}${path}`, {
      method,
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const inTopic = async () => {
    const partitions = await reader.read('nobody', [topics.events]);
    return partitions.reduce((sum, { endOffset }) => sum + Number(endOffset), 0);
  };

  test('a batch is in the topic when the answer comes, over all partitions', async () => {
    const { status, body } = await request('POST', '/events/batch?count=1500');
    assert.equal(status, 201);
    assert.equal(body['produced'], 1500);
    const partitions = await reader.read('nobody', [topics.events]);
    assert.equal(partitions.length, 6);
    assert.ok(partitions.every(({ endOffset }) => endOffset > 0n));
    assert.equal(await inTopic(), 1500);
  });

  test('a single event takes what it is given, even a rating that breaks the rule', async () => {
    const { status, body } = await request('POST', '/events', { key: 'user:7', rating: -5 });
    assert.equal(status, 201);
    assert.equal(body['key'], 'user:7');
    assert.equal((body['payload'] as { rating: number }).rating, -5);
  });

  test('wrong input is refused in words', async () => {
    const { status, body } = await request('POST', '/start-background', { ratePerSec: 0 });
    assert.equal(status, 400);
    assert.match((body['error'] as { message: string }).message, /ratePerSec/);
    assert.equal((await request('POST', '/events/batch?count=0')).status, 400);
  });

  test('a page in a browser cannot produce through it', async () => {
    const url = `http://127.0.0.1:${service.port}/events/batch`;
    const response = await fetch(url, { method: 'POST', headers: { origin: 'http://somewhere.example' } });
    assert.equal(response.status, 403);
  });

  test('the background production keeps its rate, and stops when told', async () => {
    const started = await request('POST', '/start-background', { ratePerSec: 500, seed: 3 });
    assert.equal(started.status, 202);
    assert.equal((await request('POST', '/start-background', { ratePerSec: 9 })).body['started'], false);
    await eventually('a thousand events were produced', async () => {
      const { body } = await request('GET', '/status');
      return Number(body['produced']) >= 1000;
    });
    const { body } = await request('POST', '/stop-background');
    assert.equal(body['running'], false);
    assert.equal(body['seed'], 3);
    const achieved = Number(body['achievedPerSec']);
    assert.ok(achieved > 400 && achieved < 550, `${achieved} events a second`);
    const metrics = await (await fetch(`http://127.0.0.1:${service.port}/metrics`)).text();
    assert.match(metrics, /events_produced_total \d{4}/);
  });

  test('as a library it produces for a while and says what it did', async () => {
    const before = await inTopic();
    const result = await produce({
      brokers: [broker.address],
      topic: topics.events,
      ratePerSec: 1000,
      durationMs: 500,
      signal: new AbortController().signal,
    });
    assert.equal(result.acknowledged, 500);
    assert.equal(result.failed, 0);
    assert.equal(await inTopic(), before + 500);
  });
});
