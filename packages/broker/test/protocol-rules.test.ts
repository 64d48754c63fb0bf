import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { produce } from '../src/api/00-produce.ts';
import { fetch } from '../src/api/01-fetch.ts';
import { metadata } from '../src/api/03-metadata.ts';
import { offsetCommit } from '../src/api/08-offset-commit.ts';
import { describeGroups } from '../src/api/15-describe-groups.ts';
import { createTopics } from '../src/api/19-create-topics.ts';
import { initProducerId } from '../src/api/22-init-producer-id.ts';
import { describeConfigs } from '../src/api/32-describe-configs.ts';
import { describeCluster } from '../src/api/60-describe-cluster.ts';
import { type RunningBroker, startBroker } from '../src/index.ts';
import { topicConfigKeys } from '../src/topics/topic-config.ts';
import { errorCodes } from '../src/wire/error-codes.ts';
import { batchOf } from './batches.ts';
import { RawProducer } from './crash/raw-producer.ts';
import { RawClient } from './raw-client.ts';

describe('details that clients of other makers rely on', () => {
  let broker: RunningBroker;
  let client: RawClient;
  before(async () => {
    broker = await startBroker();
    client = new RawClient(broker.address);
    const configs = [{ name: 'cleanup.policy', value: 'compact' }];
    const topic = { name: 'compacted', numPartitions: 1, replicationFactor: 1, assignments: [], configs };
    await client.call(createTopics, 2, { topics: [topic], timeoutMs: 1000, validateOnly: false });
  });
  after(async () => {
    client.close();
    await broker.stop();
  });

  test('a compacted topic tells which records of a batch have no key', async () => {
    const records = batchOf({ records: [{ key: 'a', value: '1' }, { value: '2' }, { value: '3' }] });
    const topicData = [{ name: 'compacted', partitionData: [{ index: 0, records }] }];
    const response = await client.call<{
      responses: { partitionResponses: { errorCode: number; recordErrors: { batchIndex: number }[] }[] }[];
    }>(produce, 8, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
    const refused = response.responses[0]?.partitionResponses[0];
    assert.equal(refused?.errorCode, errorCodes.invalidRecord);
    assert.deepEqual(
      refused.recordErrors.map(({ batchIndex }) => batchIndex),
      [1, 2],
    );
  });

  test('settings are described when none or an empty list is named, with words where these are asked for', async () => {
    for (const configurationKeys of [null, []]) {
      const resources = [{ resourceType: 2, resourceName: 'compacted', configurationKeys }];
      const { results } = await client.call<{ results: { configs: { documentation: string | null }[] }[] }>(
        describeConfigs,
        4,
        { resources, includeSynonyms: false, includeDocumentation: true },
      );
      assert.equal(results[0]?.configs.length, Object.keys(topicConfigKeys).length);
      for (const { documentation } of results[0].configs) assert.ok(documentation);
    }
  });

  test('who asks what it may do is told everything, and who does not ask is told nothing', async () => {
    const nothing = -2_147_483_648;
    for (const [asked, topicBits, clusterBits, groupBits] of [
      [true, 0b1101_1111_1000, 0b1_1111_1010_0000, 0b1_0100_1000],
      [false, nothing, nothing, nothing],
    ] as const) {
      const { topics } = await client.call<{ topics: { topicAuthorizedOperations: number }[] }>(
        metadata,
        12,
        {
          topics: [{ name: 'compacted', topicId: 'A'.repeat(22) }],
          allowAutoTopicCreation: false,
          includeTopicAuthorizedOperations: asked,
        },
      );
      assert.equal(topics[0]?.topicAuthorizedOperations, topicBits);
      const cluster = await client.call<{ clusterAuthorizedOperations: number }>(describeCluster, 1, {
        includeClusterAuthorizedOperations: asked,
        endpointType: 1,
      });
      assert.equal(cluster.clusterAuthorizedOperations, clusterBits);
      const { groups } = await client.call<{ groups: { authorizedOperations: number }[] }>(
        describeGroups,
        5,
        {
          groups: ['nobody'],
          includeAuthorizedOperations: asked,
        },
      );
      assert.equal(groups[0]?.authorizedOperations, groupBits);
    }
  });

  test('a producer that did not hear of its new epoch asks again and gets the same one, once', async () => {
    const init = (producerId: number, producerEpoch: number) =>
      client.call<{ errorCode: number; producerId: number; producerEpoch: number }>(initProducerId, 4, {
        transactionalId: 'asks-again',
        transactionTimeoutMs: 1000,
        producerId,
        producerEpoch,
      });
    const { producerId } = await init(-1, -1);
    assert.equal((await init(producerId, 0)).producerEpoch, 1);
    const again = await init(producerId, 0);
    assert.deepEqual([again.errorCode, again.producerId, again.producerEpoch], [0, producerId, 1]);
    assert.equal((await init(producerId, 1)).producerEpoch, 2);
    assert.equal((await init(producerId, 0)).errorCode, errorCodes.producerFenced);
  });

  test('offsets are taken from an outsider with any name while the group has no members', async () => {
    const commit = async (memberId: string, generationId: number) => {
      const partition = {
        partitionIndex: 0,
        committedOffset: 1,
        committedLeaderEpoch: -1,
        committedMetadata: '',
      };
      const { topics } = await client.call<{ topics: { partitions: { errorCode: number }[] }[] }>(
        offsetCommit,
        7,
        {
          groupId: 'outsiders',
          generationIdOrMemberEpoch: generationId,
          memberId,
          groupInstanceId: null,
          retentionTimeMs: -1,
          topics: [{ name: 'compacted', partitions: [partition] }],
        },
      );
      return topics[0]?.partitions[0]?.errorCode;
    };
    assert.equal(await commit('somebody', 3), errorCodes.illegalGeneration);
    assert.equal(await commit('somebody', -1), errorCodes.none);
    assert.equal(await commit('', -1), errorCodes.none);
    assert.equal(await commit('somebody', 0), errorCodes.unknownMemberId);
  });

  test('a reader of committed data that waits for much is woken by the marker that decides', async () => {
    const writer = new RawClient(broker.address);
    const producer = new RawProducer(writer, 'decided', 'decides');
    await writer.call(metadata, 4, { topics: [{ name: 'decided' }], allowAutoTopicCreation: true });
    await producer.init();
    await producer.begin([0]);
    await producer.send(0, ['a'], 20_000);
    const startedMs = performance.now();
    const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, logStartOffset: -1 };
    const waiting = client.call<{ responses: { partitions: { records: Buffer }[] }[] }>(fetch, 11, {
      replicaId: -1,
      maxWaitMs: 20_000,
      minBytes: 10_000,
      maxBytes: 1_000_000,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [{ topic: 'decided', partitions: [{ ...partition, partitionMaxBytes: 1_000_000 }] }],
      forgottenTopicsData: [],
      rackId: '',
    });
    await producer.end(true);
    const { responses } = await waiting;
    assert.ok((responses[0]?.partitions[0]?.records.length ?? 0) > 20_000);
    assert.ok(performance.now() - startedMs < 10_000, 'it waited for more');
    writer.close();
  });
});
