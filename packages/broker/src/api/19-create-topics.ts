import type { BrokerCore } from '../broker-core.ts';
import { describedConfigs } from '../topics/config-description.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { array, boolean, int8, int16, int32, list, string, uuid } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * CreateTopics (key 19), versions 2–7, flexible from 5.
 *
 *   Request =>
 *     topics => ARRAY
 *       name => STRING
 *       num_partitions => INT32
 *       replication_factor => INT16
 *       assignments => ARRAY
 *         partition_index => INT32
 *         broker_ids => [INT32]
 *       configs => ARRAY
 *         name => STRING
 *         value => NULLABLE_STRING
 *     timeout_ms => INT32
 *     validate_only => BOOL
 *   Response =>
 *     throttle_time_ms => INT32
 *     topics => ARRAY
 *       name => STRING
 *       topic_id => UUID (v7+)
 *       error_code => INT16
 *       error_message => NULLABLE_STRING
 *       topic_config_error_code => INT16 (v5+) tag 0
 *       num_partitions => INT32 (v5+)
 *       replication_factor => INT16 (v5+)
 *       configs => ARRAY (v5+)
 *         name => STRING
 *         value => NULLABLE_STRING
 *         read_only => BOOL
 *         config_source => INT8
 *         is_sensitive => BOOL
 */
export const createTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: list(int32()),
      }),
      configs: array({
        name: string(),
        value: string({ nullable: 0 }),
      }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: boolean({ default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      topicId: uuid({ since: 7 }),
      errorCode: int16(),
      errorMessage: string({ nullable: 0, default: null }),
      topicConfigErrorCode: int16({ since: 5, tag: 0 }),
      numPartitions: int32({ since: 5, default: -1 }),
      replicationFactor: int16({ since: 5, default: -1 }),
      configs: array(
        {
          name: string(),
          value: string({ nullable: 5 }),
          readOnly: boolean(),
          configSource: int8({ default: -1 }),
          isSensitive: boolean(),
        },
        { since: 5, nullable: 5, default: [] },
      ),
    }),
  },
  async handle(request, { broker }) {
    const counts = new Map<string, number>();
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
    const topics: CreatedTopic[] = [];
    for (const wanted of request.topics) {
      const isTwice = (counts.get(wanted.name) ?? 0) > 1;
      topics.push(await create(wanted, isTwice, request.validateOnly, broker));
    }
    return { topics };
  },
  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name }) => ({ name, topicId: NO_ID, errorCode })),
  }),
});

/** "The broker's default" (KIP-464). Meant for version 4 and later, but clients send it in older ones as well. */
const BY_DEFAULT = -1;
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

interface WantedTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

interface CreatedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly configs?: ReturnType<typeof describedConfigs>;
}

async function create(
  wanted: WantedTopic,
  isTwice: boolean,
  validateOnly: boolean,
  broker: BrokerCore,
): Promise<CreatedTopic> {
  try {
    if (isTwice) throw new ProtocolError('invalidRequest', 'the topic appears more than once in the request');
    const numPartitions = partitionsOf(wanted, broker);
    checkReplication(wanted, broker);
    const overrides = new Map(wanted.configs.map(({ name, value }) => [name, value]));
    broker.topics.check(wanted.name, numPartitions, overrides);
    const values = overrides as ReadonlyMap<string, string>; // check() refuses null
    const topic = validateOnly ? undefined : await broker.topics.create(wanted.name, numPartitions, values);
    return {
      name: wanted.name,
      topicId: topic?.id ?? NO_ID,
      errorCode: errorCodes.none,
      numPartitions,
      replicationFactor: 1,
      configs: describedConfigs(values, broker.settings.topicDefaults),
    };
  } catch (error) {
    const errorMessage = error instanceof ProtocolError ? error.message : null;
    return { name: wanted.name, topicId: NO_ID, errorCode: broker.codeOf(error), errorMessage };
  }
}

function partitionsOf(wanted: WantedTopic, broker: BrokerCore): number {
  if (wanted.assignments.length > 0) return checkedAssignments(wanted, broker.node.id);
  return wanted.numPartitions === BY_DEFAULT ? broker.settings.defaultPartitions : wanted.numPartitions;
}

function checkedAssignments(wanted: WantedTopic, nodeId: number): number {
  if (wanted.numPartitions !== BY_DEFAULT || wanted.replicationFactor !== BY_DEFAULT) {
    throw new ProtocolError('invalidRequest', 'give either replica assignments or numbers, not both');
  }
  const indexes = new Set(wanted.assignments.map(({ partitionIndex }) => partitionIndex));
  const isDense = wanted.assignments.every((_, index) => indexes.has(index));
  const isHere = wanted.assignments.every(
    ({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === nodeId,
  );
  if (!isDense || !isHere)
    throw new ProtocolError('invalidReplicaAssignment', `every replica must be on node ${nodeId}`);
  return wanted.assignments.length;
}

/** One node holds one replica, as Apache Kafka with one broker would say. */
function checkReplication(wanted: WantedTopic, broker: BrokerCore): void {
  const { replicationFactor } = wanted;
  if (wanted.assignments.length > 0 || replicationFactor === 1 || replicationFactor === BY_DEFAULT) return;
  const message = `Replication factor ${replicationFactor} is not possible: node ${broker.node.id} is the only one.`;
  throw new ProtocolError('invalidReplicationFactor', message);
}
