import type { BrokerCore } from '../broker-core.ts';
import { checkLeaderEpoch, lookUpOffset } from '../topics/offset-lookup.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int8, int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * ListOffsets (key 2), versions 1–9, flexible from 6.
 *
 *   Request =>
 *     replica_id => INT32
 *     isolation_level => INT8 (v2+)
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         current_leader_epoch => INT32 (v4+)
 *         timestamp => INT64
 *   Response =>
 *     throttle_time_ms => INT32 (v2+)
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 *         timestamp => INT64
 *         offset => INT64
 *         leader_epoch => INT32 (v4+)
 */
export const listOffsets = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 9],
  flexibleSince: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ since: 4, default: -1 }),
        timestamp: int64(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1 }),
        offset: int64({ default: -1 }),
        leaderEpoch: int32({ since: 4, default: -1 }),
      }),
    }),
  },
  async handle(request, { broker }) {
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(wanted => lookUp(broker, name, wanted, request.isolationLevel === 1)),
        ),
      })),
    );
    return { topics };
  },
  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
});

interface WantedOffset {
  readonly partitionIndex: number;
  readonly currentLeaderEpoch: number;
  readonly timestamp: number;
}

async function lookUp(broker: BrokerCore, name: string, wanted: WantedOffset, committedOnly: boolean) {
  const { partitionIndex } = wanted;
  try {
    const { partition } = broker.topics.partition(name, partitionIndex);
    checkLeaderEpoch(partition, wanted.currentLeaderEpoch);
    const found = await lookUpOffset(partition, wanted.timestamp, committedOnly);
    return { partitionIndex, errorCode: errorCodes.none, ...found, leaderEpoch: partition.log.leaderEpoch };
  } catch (error) {
    return { partitionIndex, errorCode: broker.codeOf(error) };
  }
}
