import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Producer, stringSerializers } from '@platformatic/kafka';
import type { Transaction } from 'kafkajs';
import { eventually } from '../eventually.ts';
import { kcat, kcatIsPresent } from './kcat.ts';
import { readAll } from './read-all.ts';
import { type BrokerTarget, createTopic, kafkajsClient, uniqueName, withProducer } from './target.ts';

async function inTransaction(
  target: BrokerTarget,
  transactionalId: string,
  work: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const config = { transactionalId, idempotent: true, maxInFlightRequests: 1 };
  await withProducer(target, async producer => work(await producer.transaction()), config);
}

/** A transaction is whole or absent for those who read committed data. */
export function transactionsContract(target: BrokerTarget): void {
  test('committed transactions are read, aborted ones are not', () => readsOnlyCommitted(target));
  test('an open transaction holds back readers of committed data, and only them', () =>
    openTransactionHoldsBack(target));
  test('a second producer with the same transactional id fences the first and aborts what it left open', () =>
    successorFences(target));
  test('offsets sent with a transaction count when it commits and are forgotten when it aborts', () =>
    offsetsFollowOutcome(target));
  test('@platformatic/kafka commits and aborts transactions', () => platformaticTransactions(target));
}

async function readsOnlyCommitted(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'txn', { partitions: 2 });
  const both = (value: string) => [
    { partition: 0, value },
    { partition: 1, value },
  ];
  const id = uniqueName('txn');
  for (const [value, commits] of [
    ['first', true],
    ['second', false],
    ['third', true],
  ] as const) {
    await inTransaction(target, id, async transaction => {
      await transaction.send({ topic, messages: both(value) });
      await (commits ? transaction.commit() : transaction.abort());
    });
  }
  const committed = await readAll(target, topic, { count: 4, committedOnly: true });
  assert.deepEqual(committed.map(({ value }) => value).toSorted(), ['first', 'first', 'third', 'third']);
  const all = await readAll(target, topic, { count: 6 });
  assert.equal(all.filter(({ value }) => value === 'second').length, 2);
  if (!kcatIsPresent) return;
  const viaKcat = await kcat(target, ['-C', '-t', topic, '-e', '-q', '-X', 'isolation.level=read_committed']);
  assert.deepEqual(viaKcat.toSorted(), ['first', 'first', 'third', 'third']);
}

async function openTransactionHoldsBack(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'txn-open');
  await withProducer(target, producer => producer.send({ topic, messages: [{ value: 'before' }] }));
  await inTransaction(target, uniqueName('open'), async transaction => {
    await transaction.send({ topic, messages: [{ value: 'inside' }] });
    await withProducer(target, producer => producer.send({ topic, messages: [{ value: 'after' }] }));
    assert.equal((await readAll(target, topic, { count: 3 })).length, 3);
    const admin = kafkajsClient(target).admin();
    await admin.connect();
    const [end] = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    assert.equal(end?.high, '1'); // kafkajs asks for the end of what is decided
    const seen = await readAll(target, topic, { count: 1, committedOnly: true });
    assert.deepEqual(
      seen.map(({ value }) => value),
      ['before'],
    );
    await transaction.commit();
  });
  const seen = await readAll(target, topic, { count: 3, committedOnly: true });
  assert.deepEqual(
    seen.map(({ value }) => value),
    ['before', 'inside', 'after'],
  );
}

async function successorFences(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'txn-fence');
  const id = uniqueName('fence');
  const config = { transactionalId: id, idempotent: true, maxInFlightRequests: 1 };
  await withProducer(
    target,
    async zombie => {
      const left = await zombie.transaction();
      await left.send({ topic, messages: [{ value: 'zombie' }] });
      await inTransaction(target, id, async transaction => {
        await transaction.send({ topic, messages: [{ value: 'successor' }] });
        await transaction.commit();
      });
      await assert.rejects(left.commit());
    },
    config,
  );
  const seen = await readAll(target, topic, { count: 1, committedOnly: true });
  assert.deepEqual(
    seen.map(({ value }) => value),
    ['successor'],
  );
}

async function offsetsFollowOutcome(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'txn-offsets');
  const groupId = uniqueName('txn-group');
  await withProducer(target, producer =>
    producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] }),
  );
  const admin = kafkajsClient(target).admin();
  await admin.connect();
  const committed = async () =>
    (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset;
  for (const [offset, commits, expected] of [
    ['1', false, '-1'],
    ['2', true, '2'],
    ['1', false, '2'],
  ] as const) {
    await inTransaction(target, uniqueName('offsets'), async transaction => {
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic, partitions: [{ partition: 0, offset }] }],
      });
      await (commits ? transaction.commit() : transaction.abort());
    });
    // Apache Kafka answers the end of a transaction before its groups have heard of it.
    await eventually(`the committed offset is ${expected}`, async () => (await committed()) === expected);
  }
  await admin.disconnect();
}

async function platformaticTransactions(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'txn-platformatic');
  const producer = new Producer({
    clientId: 'contract-txn',
    bootstrapBrokers: [target.address()],
    serializers: stringSerializers,
    idempotent: true,
    transactionalId: uniqueName('pl-txn'),
  });
  for (const [value, commits] of [
    ['kept', true],
    ['dropped', false],
    ['kept too', true],
  ] as const) {
    const transaction = await producer.beginTransaction();
    await transaction.send({ messages: [{ topic, key: 'k', value }] });
    await (commits ? transaction.commit() : transaction.abort());
  }
  await producer.close();
  const seen = await readAll(target, topic, { count: 2, committedOnly: true });
  assert.deepEqual(
    seen.map(({ value }) => value),
    ['kept', 'kept too'],
  );
}
