import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs, { type Admin } from 'kafkajs';
import { eventually } from '../eventually.ts';
import { readAll } from './read-all.ts';
import { type BrokerTarget, createTopic, kafkajsClient, uniqueName, withProducer } from './target.ts';

async function withAdmin<T>(target: BrokerTarget, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkajsClient(target).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/**
 * Topics, settings and groups can be administered, and mistakes are answered with Kafka's errors. What was changed is
 * seen eventually: the controller of Apache Kafka answers before its brokers have heard of it.
 */
export function adminContract(target: BrokerTarget): void {
  test('a topic is created with its partitions and settings, grown, and deleted', () => topicLife(target));
  test('creating what exists, shrinking and unknown settings are refused with the right errors', () =>
    refusals(target));
  test('a changed setting is described, and the rest keep their defaults', () => changedSetting(target));
  test('records are deleted up to an offset, and readers start behind it', () => deletedRecords(target));
  test('offsets are found by time', () => offsetsByTime(target));
  test('an idle group is listed, described and deleted, its offsets with it', () => idleGroup(target));
}

async function topicLife(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'admin', {
    partitions: 2,
    configs: { 'cleanup.policy': 'compact' },
  });
  await withAdmin(target, async admin => {
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await eventually('the topic has grown', async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length === 5;
    });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    });
    const values = new Map(resources[0]?.configEntries.map(entry => [entry.configName, entry.configValue]));
    assert.equal(values.get('cleanup.policy'), 'compact');
    assert.ok(
      values.has('retention.ms') && values.has('retention.bytes') && values.has('min.insync.replicas'),
    );
    await admin.deleteTopics({ topics: [topic] });
    await eventually('the topic is gone', async () => !(await admin.listTopics()).includes(topic));
  });
}

async function refusals(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'refusals', { partitions: 3 });
  await withAdmin(target, async admin => {
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false);
    const refusedAs = (type: string) => (error: { errors?: { type: string }[]; type?: string }) =>
      (error.errors?.[0]?.type ?? error.type) === type;
    await assert.rejects(
      admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }),
      refusedAs('INVALID_PARTITIONS'),
    );
    const create = (name: string, configEntries: { name: string; value: string }[]) =>
      admin.createTopics({ topics: [{ topic: name, configEntries }] });
    await assert.rejects(create('bad name', []), refusedAs('INVALID_TOPIC_EXCEPTION'));
    await assert.rejects(
      create(uniqueName('t'), [{ name: 'no.such.setting', value: '1' }]),
      refusedAs('INVALID_CONFIG'),
    );
  });
}

async function changedSetting(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'alter');
  await withAdmin(target, async admin => {
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic };
    const configEntries = [{ name: 'retention.ms', value: '12345' }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
    await eventually('the change is described', async () => {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
      const entry = resources[0]?.configEntries.find(({ configName }) => configName === 'retention.ms');
      return entry?.configValue === '12345';
    });
  });
}

async function deletedRecords(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'delete-records');
  const messages = ['a', 'b', 'c', 'd'].map(value => ({ value }));
  await withProducer(target, producer => producer.send({ topic, messages }));
  await withAdmin(target, async admin => {
    await admin.fetchTopicOffsets(topic); // kafkajs must have met the topic before it can name its leader
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    const [offsets] = await admin.fetchTopicOffsets(topic);
    assert.equal(offsets?.low, '2');
    assert.equal(offsets?.high, '4');
  });
  const read = await readAll(target, topic, { count: 1 });
  assert.deepEqual([read[0]?.value, read[0]?.offset], ['c', 2n]);
}

async function offsetsByTime(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'by-time');
  const base = 1_700_000_000_000;
  await withProducer(target, async producer => {
    for (const index of [0, 1, 2, 3]) {
      const timestamp = String(base + index * 1000);
      await producer.send({ topic, messages: [{ value: `${index}`, timestamp }] });
    }
  });
  await withAdmin(target, async admin => {
    const at = async (timestamp: number) =>
      (await admin.fetchTopicOffsetsByTimestamp(topic, timestamp))[0]?.offset;
    assert.equal(await at(base - 1), '0');
    assert.equal(await at(base + 1000), '1');
    assert.equal(await at(base + 1001), '2');
    assert.equal(await at(base + 9000), '4'); // kafkajs answers the end when there is nothing later
  });
}

async function idleGroup(target: BrokerTarget): Promise<void> {
  const topic = await createTopic(target, 'group-admin');
  const groupId = uniqueName('group-admin');
  await withAdmin(target, async admin => {
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] });
    const { groups } = await admin.listGroups();
    assert.ok(groups.some(group => group.groupId === groupId));
    const described = await admin.describeGroups([groupId, uniqueName('never-seen')]);
    assert.deepEqual(
      described.groups.map(group => group.state),
      ['Empty', 'Dead'],
    );
    await admin.deleteGroups([groupId]);
    const offsets = await admin.fetchOffsets({ groupId, topics: [topic] });
    assert.equal(offsets[0]?.partitions[0]?.offset, '-1');
  });
}
