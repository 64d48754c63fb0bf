import type { BrokerCore } from '../broker-core.ts';
import { operationsIf } from '../security/authorized-operations.ts';
import { checkTopicName, type Topic } from '../topics/topic-registry.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { array, boolean, int16, int32, list, string, uuid } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * Metadata (key 3), versions 0–12, flexible from 9.
 *
 *   Request =>
 *     topics => ARRAY
 *       topic_id => UUID (v10+)
 *       name => NULLABLE_STRING
 *     allow_auto_topic_creation => BOOL (v4+)
 *     include_cluster_authorized_operations => BOOL (v8–10)
 *     include_topic_authorized_operations => BOOL (v8+)
 *   Response =>
 *     throttle_time_ms => INT32 (v3+)
 *     brokers => ARRAY
 *       node_id => INT32
 *       host => STRING
 *       port => INT32
 *       rack => NULLABLE_STRING (v1+)
 *     cluster_id => NULLABLE_STRING (v2+)
 *     controller_id => INT32 (v1+)
 *     topics => ARRAY
 *       error_code => INT16
 *       name => NULLABLE_STRING
 *       topic_id => UUID (v10+)
 *       is_internal => BOOL (v1+)
 *       partitions => ARRAY
 *         error_code => INT16
 *         partition_index => INT32
 *         leader_id => INT32
 *         leader_epoch => INT32 (v7+)
 *         replica_nodes => [INT32]
 *         isr_nodes => [INT32]
 *         offline_replicas => [INT32] (v5+)
 *       topic_authorized_operations => INT32 (v8+)
 *     cluster_authorized_operations => INT32 (v8–10)
 */
export const metadata = defineApi({
  key: 3,
  name: 'Metadata',
  versions: [0, 12],
  flexibleSince: 9,
  request: {
    topics: array(
      {
        topicId: uuid({ since: 10 }),
        name: string({ nullable: 10 }),
      },
      { nullable: 1 },
    ),
    allowAutoTopicCreation: boolean({ since: 4, default: true }),
    includeClusterAuthorizedOperations: boolean({ since: 8, until: 10 }),
    includeTopicAuthorizedOperations: boolean({ since: 8 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, default: 0 }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ since: 1, nullable: 1, default: null }),
    }),
    clusterId: string({ since: 2, nullable: 2, default: null }),
    controllerId: int32({ since: 1, default: -1 }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: 12 }),
      topicId: uuid({ since: 10 }),
      isInternal: boolean({ since: 1, default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ since: 7, default: -1 }),
        replicaNodes: list(int32()),
        isrNodes: list(int32()),
        offlineReplicas: list(int32(), { since: 5, default: [] }),
      }),
      topicAuthorizedOperations: int32({ since: 8, default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ since: 8, until: 10, default: -2147483648 }),
  },
  async handle(request, { broker, version }) {
    const wantsAll = request.topics === null || (version === 0 && request.topics.length === 0);
    const found = wantsAll
      ? broker.topics.all().map(topic => describeTopic(topic, broker))
      : await Promise.all(
          (request.topics ?? []).map(wanted => findTopic(wanted, request.allowAutoTopicCreation, broker)),
        );
    const topicAuthorizedOperations = operationsIf(request.includeTopicAuthorizedOperations, 'topic');
    return {
      ...clusterResponse(
        broker,
        found.map(topic => ({ ...topic, topicAuthorizedOperations })),
      ),
      clusterAuthorizedOperations: operationsIf(request.includeClusterAuthorizedOperations, 'cluster'),
    };
  },
  refuse: (request, errorCode) => ({
    brokers: [],
    topics: (request.topics ?? []).map(({ name, topicId }) => ({ errorCode, name, topicId, partitions: [] })),
  }),
});

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

interface WantedTopic {
  readonly topicId: string;
  readonly name: string | null;
}

function clusterResponse<T>(broker: BrokerCore, topics: T) {
  const { id, host, port } = broker.node;
  return { brokers: [{ nodeId: id, host, port }], clusterId: broker.clusterId, controllerId: id, topics };
}

async function findTopic(wanted: WantedTopic, mayCreate: boolean, broker: BrokerCore) {
  const { name, topicId } = wanted;
  try {
    if (name === null) {
      const topic = broker.topics.getById(topicId);
      if (!topic) throw new ProtocolError('unknownTopicId');
      return describeTopic(topic, broker);
    }
    return describeTopic(broker.topics.get(name) ?? (await createTopic(name, mayCreate, broker)), broker);
  } catch (error) {
    return {
      errorCode: broker.codeOf(error),
      name,
      topicId: name === null ? topicId : NO_ID,
      partitions: [],
    };
  }
}

/** Creates at once instead of answering LEADER_NOT_AVAILABLE: the topic can be used, and the client need not ask again. */
async function createTopic(name: string, mayCreate: boolean, broker: BrokerCore): Promise<Topic> {
  checkTopicName(name);
  const { autoCreateTopics, defaultPartitions } = broker.settings;
  if (!mayCreate || !autoCreateTopics) throw new ProtocolError('unknownTopicOrPartition');
  return broker.topics.create(name, defaultPartitions, new Map());
}

function describeTopic(topic: Topic, broker: BrokerCore) {
  const nodeId = broker.node.id;
  return {
    errorCode: errorCodes.none,
    name: topic.name,
    topicId: topic.id,
    partitions: topic.partitions.map(partition => ({
      errorCode: errorCodes.none,
      partitionIndex: partition.index,
      leaderId: nodeId,
      leaderEpoch: partition.log.leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
      offlineReplicas: [],
    })),
  };
}
