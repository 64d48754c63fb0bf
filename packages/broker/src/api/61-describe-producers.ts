import type { Partition } from '../topics/partition.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DescribeProducers (key 61), versions 0–0, flexible from 0.
 *
 *   Request =>
 *     topics => ARRAY
 *       name => STRING
 *       partition_indexes => [INT32]
 *   Response =>
 *     throttle_time_ms => INT32
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 *         error_message => NULLABLE_STRING
 *         active_producers => ARRAY
 *           producer_id => INT64
 *           producer_epoch => INT32
 *           last_sequence => INT32
 *           last_timestamp => INT64
 *           coordinator_epoch => INT32
 *           current_txn_start_offset => INT64
 */
export const describeProducers = defineApi({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: array({
      name: string(),
      partitionIndexes: list(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: 0, default: null }),
        activeProducers: array({
          producerId: int64(),
          producerEpoch: int32(),
          lastSequence: int32({ default: -1 }),
          lastTimestamp: int64({ default: -1 }),
          coordinatorEpoch: int32(),
          currentTxnStartOffset: int64({ default: -1 }),
        }),
      }),
    }),
  },
  handle: (request, { broker }) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => {
        const partition = broker.topics.get(name)?.partitions[partitionIndex];
        const errorCode = partition ? errorCodes.none : errorCodes.unknownTopicOrPartition;
        return { partitionIndex, errorCode, activeProducers: partition ? describe(partition) : [] };
      }),
    })),
  }),
  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        errorCode,
        activeProducers: [],
      })),
    })),
  }),
});

function describe(partition: Partition) {
  return [...partition.producers.entries()].map(([producerId, state]) => ({
    producerId,
    producerEpoch: state.epoch,
    lastSequence: state.batches.at(-1)?.lastSequence ?? -1,
    lastTimestamp: state.lastTimestamp,
    coordinatorEpoch: 0,
    currentTxnStartOffset: state.txnFirstOffset ?? -1,
  }));
}
