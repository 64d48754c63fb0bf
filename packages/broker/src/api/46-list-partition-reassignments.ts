import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * ListPartitionReassignments (key 46), versions 0–0, flexible from 0.
 *
 *   Request =>
 *     timeout_ms => INT32
 *     topics => ARRAY
 *       name => STRING
 *       partition_indexes => [INT32]
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16
 *     error_message => NULLABLE_STRING
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         replicas => [INT32]
 *         adding_replicas => [INT32]
 *         removing_replicas => [INT32]
 */
export const listPartitionReassignments = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    topics: array(
      {
        name: string(),
        partitionIndexes: list(int32()),
      },
      { nullable: 0, default: null },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: 0, default: null }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: list(int32()),
        addingReplicas: list(int32()),
        removingReplicas: list(int32()),
      }),
    }),
  },
  handle: () => ({ errorCode: errorCodes.none, topics: [] }),
  refuse: (_request, errorCode) => ({ errorCode, topics: [] }),
});
