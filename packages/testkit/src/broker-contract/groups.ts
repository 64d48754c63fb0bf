import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admin, Consumer, stringDeserializers } from '@platformatic/kafka';
import { eventually } from '../eventually.ts';
import { type BrokerTarget, createTopic, kafkajsClient, uniqueName, withProducer } from './target.ts';

const PARTITIONS = 6;

/** Consumer groups share partitions, hand them over and remember where they were. */
export function groupsContract(target: BrokerTarget): void {
  test('members share all partitions, and a survivor takes over those of one that leaves', () =>
    sharing(target));
  test('a group goes on where it committed', () => resuming(target));
  test('while a group lives, offsets can be deleted of topics that it does not read, and only of those', () =>
    deletingOffsets(target));
}

interface GroupMember {
  partitions(): number[];
  leave(): Promise<void>;
}

async function member(target: BrokerTarget, groupId: string, topic: string): Promise<GroupMember> {
  const consumer = kafkajsClient(target).consumer({
    groupId,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 200,
  });
  let assigned: number[] = [];
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic] ?? [];
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async () => {} });
  return { partitions: () => assigned, leave: () => consumer.disconnect() };
}

async function sharing(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'share', { partitions: PARTITIONS });
  const groupId = uniqueName('share');
  const first = await member(target, groupId, topic);
  const second = await member(target, groupId, topic);
  await eventually(
    'the members have their shares',
    () =>
      first.partitions().length + second.partitions().length === PARTITIONS && second.partitions().length > 0,
  );
  assert.deepEqual(
    [...first.partitions(), ...second.partitions()].toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5],
  );
  await second.leave();
  await eventually('the members have their shares', () => first.partitions().length === PARTITIONS);
  await first.leave();
}

async function resuming(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'resume');
  const groupId = uniqueName('resume');
  const values = Array.from({ length: 20 }, (_, index) => `${index}`);
  await withProducer(target, producer =>
    producer.send({ topic, messages: values.map(value => ({ value })) }),
  );
  const seen: (string | undefined)[] = [];
  for (const count of [7, 13]) {
    const consumer = new Consumer({
      clientId: 'resume',
      groupId,
      bootstrapBrokers: [target.address()],
      deserializers: stringDeserializers,
    });
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    });
    let taken = 0;
    for await (const message of stream) {
      seen.push(message.value);
      await message.commit();
      taken += 1;
      if (taken === count) break;
    }
    await consumer.close(true);
  }
  assert.deepEqual(seen, values);
}

async function deletingOffsets(target: BrokerTarget): Promise<void> {
  const [read, left] = [await createTopic(target, 'read'), await createTopic(target, 'left')];
  const groupId = uniqueName('delete-offsets');
  const consumer = kafkajsClient(target).consumer({ groupId, maxWaitTimeInMs: 200 });
  const joined = new Promise<void>(resolve => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
  await consumer.connect();
  await consumer.subscribe({ topic: read });
  await consumer.run({ autoCommit: false, eachMessage: async () => {} });
  await joined;
  const admin = new Admin({ clientId: 'delete-offsets', bootstrapBrokers: [target.address()], retries: 0 });
  try {
    await consumer.commitOffsets([read, left].map(topic => ({ topic, partition: 0, offset: '0' })));
    const deleted = (name: string) =>
      admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name, partitionIndexes: [0] }] });
    await deleted(left);
    await assert.rejects(deleted(read));
    const groups = [read, left].map(name => ({ groupId, topics: [{ name, partitionIndexes: [0] }] }));
    const offsets = await Promise.all(
      groups.map(async group => (await admin.listConsumerGroupOffsets({ groups: [group] }))[0]?.topics[0]),
    );
    assert.deepEqual(
      offsets.map(topic => topic?.partitions[0]?.committedOffset),
      [0n, -1n],
    );
  } finally {
    await admin.close();
    await consumer.disconnect();
  }
}
