import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createPool, DeadLetterDesk, type Pool, signedHeaders } from '@tidemark/connectors';
import { systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { changeMessage, reviewMessage } from './messages.ts';
import { type Stack, startStack } from './stack.ts';

const longWait = { withinMs: 60_000 };
const key = 'user:parked';
const actor = { name: 'operator@example.com', why: 'the producer sent a wrong rating' };

function reviewIdOf(message: { readonly value: Buffer | undefined }): string {
  return (JSON.parse(String(message.value)) as { payload: { review_id: string } }).payload.review_id;
}

describe('a consumer that keeps the order of keys with dead letters', () => {
  let stack: Stack;
  let pool: Pool;
  let desk: DeadLetterDesk;
  before(async () => {
    stack = await startStack();
    pool = createPool({ databaseUrl: stack.postgres.url, applicationName: 'desk', connections: 1 });
    desk = new DeadLetterDesk(pool, stack.sender, systemClock);
  });
  after(async () => {
    await pool.end();
    await stack.stop();
  });

  const open = () => desk.list({ key, status: 'open' });
  const stored = async () => {
    const rows = await stack.postgres.query<{ review_id: string }>(
      `SELECT review_id FROM reviews WHERE user_key = '${key}' ORDER BY ctid`,
    );
    return rows.map(row => row.review_id);
  };
  const parkedKeys = () => stack.postgres.query('SELECT 1 FROM parked_keys');

  test('pitfall 12, what follows a dead letter of its key waits through a crash and comes in order once it is mended', async () => {
    const park = { PARK_KEYS: 'reviews-to-postgres' };
    const first = await stack.startConsumer(park);
    const [before, bad, second, third] = [4, -5, 2, 3].map(rating => reviewMessage(key, rating));
    assert.ok(before && bad && second && third);
    await stack.sender.send([before, bad, second, third, reviewMessage('user:free')]);
    await eventually('three letters of the key', async () => (await open()).length === 3, longWait);
    assert.deepEqual(
      new Set((await open()).map(({ reason }) => reason)),
      new Set(['business_rule', 'parked']),
    );
    assert.deepEqual(await stored(), [reviewIdOf(before)]);
    const [free] = await stack.postgres.query(`SELECT 1 FROM reviews WHERE user_key = 'user:free'`);
    assert.ok(free, 'another key goes on');
    await first.kill('SIGKILL');

    const successor = await stack.startConsumer(park);
    const fourth = reviewMessage(key, 1);
    await stack.sender.send([fourth]);
    await eventually(
      'another consumer holds the key back too',
      async () => (await open()).length === 4,
      longWait,
    );
    const heldBack = (await open()).filter(({ reason }) => reason === 'parked').map(({ id }) => id);
    assert.deepEqual((await desk.replay({ ids: heldBack }, actor)).sent, [], 'nothing overtakes the bad one');

    const head = (await open()).find(({ reason }) => reason === 'business_rule');
    assert.ok(head);
    await desk.edit(head.id, Buffer.from(String(bad.value).replace('"rating":-5', '"rating":5')), actor);
    assert.deepEqual((await desk.replay({ ids: [head.id] }, actor)).sent, [head.id]);
    await eventually('the key is released', async () => (await parkedKeys()).length === 0, longWait);
    const wanted = [before, bad, second, third, fourth].map(reviewIdOf);
    await eventually(
      'everything has its effect',
      async () => (await stored()).length >= wanted.length,
      longWait,
    );
    assert.deepEqual(await stored(), wanted);
    assert.deepEqual(await open(), []);

    const fifth = reviewMessage(key, 5);
    await stack.sender.send([fifth]);
    await eventually(
      'what comes later passes',
      async () => (await stored()).at(-1) === reviewIdOf(fifth),
      longWait,
    );
    assert.equal(await successor.kill('SIGTERM'), 0);
  });

  test('a discarded letter releases its key, and what it held back comes by itself', async () => {
    const consumer = await stack.startConsumer({ PARK_KEYS: 'reviews-to-postgres' });
    const [bad, next] = [reviewMessage(key, 9), reviewMessage(key, 4)];
    await stack.sender.send([bad, next]);
    await eventually('two letters of the key', async () => (await open()).length === 2, longWait);
    const head = (await open()).find(({ reason }) => reason === 'business_rule');
    assert.ok(head);
    await desk.discard({ ids: [head.id] }, actor);
    await eventually('the next comes', async () => (await stored()).at(-1) === reviewIdOf(next), longWait);
    await eventually('the key is released', async () => (await parkedKeys()).length === 0, longWait);
    assert.equal(await consumer.kill('SIGTERM'), 0);
  });

  test('changes go to a webhook, signed, when its address is configured', async () => {
    const secret = 'a secret of the test';
    const seen: { id: string; body: string; genuine: boolean }[] = [];
    const receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const id = String(request.headers['webhook-id']);
        const atMs = Number(request.headers['webhook-timestamp']) * 1000;
        const wanted = signedHeaders(secret, id, body, atMs)['webhook-signature'];
        seen.push({ id, body: String(body), genuine: request.headers['webhook-signature'] === wanted });
        response.end();
      });
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const consumer = await stack.startConsumer({
      WEBHOOK_URL: `http://127.0.0.1:${port}/changes`,
      WEBHOOK_SECRET: secret,
    });
    await stack.sender.send([changeMessage(7, 4_640_432)]);
    await eventually('the change is posted', () => seen.length > 0, longWait);
    assert.deepEqual(
      seen.map(({ id, genuine }) => [id, genuine]),
      [['sre-cdc:4640432:0', true]],
    );
    await eventually('its position is stored', async () => {
      const rows = await stack.postgres.query(
        `SELECT 1 FROM pipeline_positions WHERE pipeline = 'changes-to-webhook' AND delivered = 1`,
      );
      return rows.length === 1;
    });
    assert.equal(await consumer.kill('SIGTERM'), 0);
    receiver.closeAllConnections();
    receiver.close();
  });
});
