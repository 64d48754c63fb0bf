import { checkLeaderEpoch, endOfEpoch } from '../topics/offset-lookup.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * OffsetForLeaderEpoch (key 23), versions 2–4, flexible from 4.
 *
 *   Request =>
 *     replica_id => INT32 (v3+)
 *     topics => ARRAY
 *       topic => STRING
 *       partitions => ARRAY
 *         partition => INT32
 *         current_leader_epoch => INT32
 *         leader_epoch => INT32
 *   Response =>
 *     throttle_time_ms => INT32
 *     topics => ARRAY
 *       topic => STRING
 *       partitions => ARRAY
 *         error_code => INT16
 *         partition => INT32
 *         leader_epoch => INT32
 *         end_offset => INT64
 */
export const offsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleSince: 4,
  request: {
    replicaId: int32({ since: 3, default: -2 }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ default: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ default: -1 }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
  handle: (request, { broker }) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        try {
          const found = broker.topics.partition(topic, partition).partition;
          checkLeaderEpoch(found, currentLeaderEpoch);
          const end = endOfEpoch(found, leaderEpoch);
          return { errorCode: errorCodes.none, partition, leaderEpoch: end.epoch, endOffset: end.endOffset };
        } catch (error) {
          return { errorCode: broker.codeOf(error), partition };
        }
      }),
    })),
  }),
  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ errorCode, partition })),
    })),
  }),
});
