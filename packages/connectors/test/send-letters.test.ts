import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import { createMessageSender, ensureTopics, kafkaDeadLetters, LogReader } from '@tidemark/connectors';
import { topics } from '@tidemark/contracts/names';
import { headerText, type SourceRecord } from '@tidemark/pipeline';
import { record } from './records.ts';

describe('dead letters above the broker’s limit', () => {
  let broker: RunningBroker;
  before(async () => {
    broker = await startBroker({ port: 0 });
  });
  after(() => broker.stop());

  test('pitfall 11, a letter that the topic refuses as too large goes without its value, in its place among the others', async () => {
    const connection = { brokers: [broker.address], clientId: 'test' };
    await ensureTopics(connection, [topics.deadLetters]);
    const sender = createMessageSender(connection);
    const store = kafkaDeadLetters(sender, 'g');
    const large = randomBytes(11_000_000);
    const rejection = {
      reason: 'undecodable',
      errorClass: 'undecodable',
      message: 'too much',
      attempts: 0,
      firstFailedAtMs: 0,
      lastFailedAtMs: 0,
    } as const;
    const values = [Buffer.from('small'), large, Buffer.from('small too')];
    const letters = values.map((value, index) => ({
      pipeline: 'p',
      record: record({ offset: BigInt(index), value }),
      rejection,
    }));
    await store(letters, new AbortController().signal);
    const stored: SourceRecord[] = [];
    const log = new LogReader(connection);
    for await (const records of log.read(topics.deadLetters, 0, 0n, 3n)) stored.push(...records);
    await log.close();
    await sender.close();
    assert.deepEqual(
      stored.map(({ value }) => value?.toString() ?? null),
      ['small', null, 'small too'],
    );
    const [, letter] = stored;
    assert.ok(letter);
    const sha256 = createHash('sha256').update(large).digest('hex');
    assert.equal(headerText(letter, 'tidemark-omitted-payload'), `${large.length} bytes, sha256 ${sha256}`);
    assert.equal(headerText(letter, 'tidemark-dlq-offset'), '1');
  });
});
