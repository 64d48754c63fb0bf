import { array, bytes, int16, int32, int64, string, taggedStruct } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * Produce (key 0), versions 0–11, flexible from 9.
 *
 *   Request =>
 *     transactional_id => NULLABLE_STRING (v3+)
 *     acks => INT16
 *     timeout_ms => INT32
 *     topic_data => ARRAY
 *       name => STRING
 *       partition_data => ARRAY
 *         index => INT32
 *         records => NULLABLE_RECORDS
 *   Response =>
 *     responses => ARRAY
 *       name => STRING
 *       partition_responses => ARRAY
 *         index => INT32
 *         error_code => INT16
 *         base_offset => INT64
 *         log_append_time_ms => INT64 (v2+)
 *         log_start_offset => INT64 (v5+)
 *         record_errors => ARRAY (v8+)
 *           batch_index => INT32
 *           batch_index_error_message => NULLABLE_STRING
 *         error_message => NULLABLE_STRING (v8+)
 *         current_leader => (v10+) tag 0
 *           leader_id => INT32
 *           leader_epoch => INT32
 *     throttle_time_ms => INT32 (v1+)
 *     node_endpoints => ARRAY (v10+) tag 0
 *       node_id => INT32
 *       host => STRING
 *       port => INT32
 *       rack => NULLABLE_STRING
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: [0, 11],
  flexibleSince: 9,
  request: {
    transactionalId: string({ since: 3, nullable: 3, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string(),
      partitionData: array({
        index: int32(),
        records: bytes({ nullable: 0 }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string(),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ since: 2, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: 8, default: null }),
          },
          { since: 8, default: [] },
        ),
        errorMessage: string({ since: 8, nullable: 8, default: null }),
        currentLeader: taggedStruct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { since: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ since: 1, default: 0 }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: 10, default: null }),
      },
      { since: 10, tag: 0 },
    ),
  },
  handle(request, { broker }) {},
  refuse: (request, errorCode) => ({}),
});
