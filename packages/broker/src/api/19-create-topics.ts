import { array, boolean, int16, int32, int8, list, string, uuid } from '../wire/schema.ts';
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
  handle(request, { broker }) {},
  refuse: (request, errorCode) => ({}),
});
