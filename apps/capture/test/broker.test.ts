import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { decode } from '@tidemark/canal-json';
import { eventually, freePort, startPostgres, type TestPostgres } from '@tidemark/testkit';
import kafkajs, { Kafka, logLevel } from 'kafkajs';
import { completeConfig } from '../src/changefeed/replica-config.ts';
import { type CaptureService, compose } from '../src/compose.ts';

interface Received {
  readonly partition: number;
  readonly key: string | undefined;
  readonly changeId: string | undefined;
  readonly email: string | null | undefined;
}

suite('the service with a broker', () => {
  let postgres: TestPostgres;
  let folder: string;
  let broker: RunningBroker;
  let capture: CaptureService | undefined;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-capture-'));
    postgres = await startPostgres({ migrated: true });
    broker = await startBroker({ dataDir: folder, port: await freePort('127.0.0.1') });
    capture = compose({
      DATABASE_URL: postgres.url,
      KAFKA_BROKERS: broker.address,
      CAPTURE_ADDR: '127.0.0.1:0',
      LOG_LEVEL: 'silent',
    });
    await capture.start();
  });
  after(async () => {
    await capture?.stop();
    await broker.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const ready = async () => (await fetch(`http://127.0.0.1:${capture?.port}/readyz`)).status === 200;

  /** Everything about rows that is in the topic, read by a client of another make. */
  async function received(count: number, topic = 'tidb_cdc'): Promise<Received[]> {
    const consumer = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).consumer({
      groupId: `test-${topic}-${count}`,
    });
    const rows: Received[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        const change = decode(message.value ?? Buffer.alloc(0));
        if (change.kind !== 'row') return;
        rows.push({
          partition,
          key: message.key?.toString(),
          changeId: message.headers?.['tidemark-change-id']?.toString(),
          email: change.data['email'],
        });
      },
    });
    await eventually('the messages', () => rows.length >= count, { withinMs: 30_000 });
    await consumer.disconnect();
    return rows;
  }

  test('creates its changefeed and topic, and sends what is written, in TiCDC’s form', async () => {
    await eventually('ready', ready);
    await postgres.query(
      `INSERT INTO users (email) SELECT g || '@example.com' FROM generate_series(1, 30) g`,
    );
    const rows = await received(30);
    assert.equal(rows.length, 30);
    assert.equal(new Set(rows.map(({ changeId }) => changeId)).size, 30);
    assert.ok(rows.every(({ changeId }) => changeId?.startsWith('sre-cdc:')));
    assert.equal(new Set(rows.map(({ partition }) => partition)).size, 3);
    assert.ok(rows.every(({ key }) => key === ''));
  });

  test('a message that is too large fails the changefeed and names the remedy; after it nothing is lost', async () => {
    const feeds = capture?.changefeeds;
    assert.ok(feeds !== undefined);
    const uri = (bytes: number) =>
      `kafka://${broker.address}/large?protocol=canal-json&max-message-bytes=${bytes}`;
    const failsWith = async (message: RegExp) => {
      const text = await eventually('failed', () => {
        const status = feeds.statuses().get('large');
        return status?.state === 'failed' && `${status.error?.code} ${status.error?.message}`;
      });
      assert.match(text, message);
    };
    const config = completeConfig({ filter: { rules: ['sre_app.large'] } });
    await postgres.query('CREATE TABLE large (email text PRIMARY KEY, v text)');
    await feeds.create({ id: 'large', sinkUri: uri(3000), config });
    await postgres.query(`INSERT INTO large VALUES ('small', 'x')`);
    await postgres.query(`INSERT INTO large VALUES ('large', repeat('x', 2000000))`);
    await failsWith(
      /KAFKA_REFUSED a change of large .* more than max-message-bytes=3000 — Raise max-message-bytes/,
    );
    await feeds.update('large', { sinkUri: uri(10_000_000) });
    await feeds.resume('large');
    await failsWith(
      /KAFKA_REFUSED the broker refused large: MESSAGE_TOO_LARGE .*— Raise max\.message\.bytes/,
    );
    await feeds.pause('large');
    const admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const configEntries = [{ name: 'max.message.bytes', value: '10000000' }];
    const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'large', configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
    await admin.disconnect();
    await feeds.resume('large');
    assert.deepEqual(
      new Set((await received(2, 'large')).map(({ email }) => email)),
      new Set(['small', 'large']),
    );
    await feeds.remove('large');
  });

  test('waits for a broker that is away, says so, and loses nothing', async () => {
    const { port } = broker;
    await broker.stop();
    await postgres.query(`INSERT INTO users (email) VALUES ('meanwhile@example.com')`);
    await eventually('not ready', async () => !(await ready()), { withinMs: 30_000 });
    broker = await startBroker({ dataDir: folder, port });
    await eventually('ready again', ready, { withinMs: 30_000 });
    const rows = await received(31);
    assert.equal(rows.filter(({ email }) => email === 'meanwhile@example.com').length, 1);
  });
});
