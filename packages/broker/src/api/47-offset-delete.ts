import { CONSUMER } from '../groups/subscription.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * OffsetDelete (key 47), versions 0–0.
 *
 *   Request =>
 *     group_id => STRING
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *   Response =>
 *     error_code => INT16
 *     throttle_time_ms => INT32
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 */
export const offsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
  async handle(request, { broker }) {
    const { registry } = broker.groups;
    const group = registry.get(request.groupId);
    if (!group) return { errorCode: errorCodes.groupIdNotFound, topics: [] };
    const isIdle = group.state === 'Empty';
    if (!isIdle && group.protocolType !== CONSUMER)
      return { errorCode: errorCodes.nonEmptyGroup, topics: [] };
    const codeOf = (topic: string, partition: number) => {
      if (!broker.topics.get(topic)?.partitions[partition]) return errorCodes.unknownTopicOrPartition;
      return isIdle || !group.readsTopic(topic) ? errorCodes.none : errorCodes.groupSubscribedToTopic;
    };
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: codeOf(name, partitionIndex),
      })),
    }));
    const free = topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode === errorCodes.none)
        .map(({ partitionIndex }) => ({
          topic: name,
          partition: partitionIndex,
        })),
    );
    await registry.deleteOffsets(request.groupId, free);
    return { errorCode: errorCodes.none, topics };
  },
  refuse: (_request, errorCode) => ({ errorCode, topics: [] }),
});
