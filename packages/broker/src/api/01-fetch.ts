import { array, bytes, int16, int32, int64, int8, list, string, taggedStruct, uuid } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * Fetch (key 1), versions 4–17, flexible from 12.
 *
 *   Request =>
 *     cluster_id => NULLABLE_STRING (v12+) tag 0
 *     replica_id => INT32 (to v14)
 *     replica_state => (v15+) tag 1
 *       replica_id => INT32
 *       replica_epoch => INT64
 *     max_wait_ms => INT32
 *     min_bytes => INT32
 *     max_bytes => INT32
 *     isolation_level => INT8
 *     session_id => INT32 (v7+)
 *     session_epoch => INT32 (v7+)
 *     topics => ARRAY
 *       topic => STRING (to v12)
 *       topic_id => UUID (v13+)
 *       partitions => ARRAY
 *         partition => INT32
 *         current_leader_epoch => INT32 (v9+)
 *         fetch_offset => INT64
 *         last_fetched_epoch => INT32 (v12+)
 *         log_start_offset => INT64 (v5+)
 *         partition_max_bytes => INT32
 *         replica_directory_id => UUID (v17+) tag 0
 *     forgotten_topics_data => ARRAY (v7+)
 *       topic => STRING (to v12)
 *       topic_id => UUID (v13+)
 *       partitions => [INT32]
 *     rack_id => STRING (v11+)
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16 (v7+)
 *     session_id => INT32 (v7+)
 *     responses => ARRAY
 *       topic => STRING (to v12)
 *       topic_id => UUID (v13+)
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 *         high_watermark => INT64
 *         last_stable_offset => INT64
 *         log_start_offset => INT64 (v5+)
 *         diverging_epoch => (v12+) tag 0
 *           epoch => INT32
 *           end_offset => INT64
 *         current_leader => (v12+) tag 1
 *           leader_id => INT32
 *           leader_epoch => INT32
 *         snapshot_id => (v12+) tag 2
 *           end_offset => INT64
 *           epoch => INT32
 *         aborted_transactions => ARRAY
 *           producer_id => INT64
 *           first_offset => INT64
 *         preferred_read_replica => INT32 (v11+)
 *         records => NULLABLE_RECORDS
 *     node_endpoints => ARRAY (v16+) tag 0
 *       node_id => INT32
 *       host => STRING
 *       port => INT32
 *       rack => NULLABLE_STRING
 */
export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 17],
  flexibleSince: 12,
  request: {
    clusterId: string({ since: 12, nullable: 12, tag: 0, default: null }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: taggedStruct(
      {
        replicaId: int32({ default: -1 }),
        replicaEpoch: int64({ default: -1 }),
      },
      { since: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    isolationLevel: int8({ default: 0 }),
    sessionId: int32({ since: 7, default: 0 }),
    sessionEpoch: int32({ since: 7, default: -1 }),
    topics: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 9, default: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ since: 12, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ since: 17, tag: 0 }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ until: 12 }),
        topicId: uuid({ since: 13 }),
        partitions: list(int32()),
      },
      { since: 7 },
    ),
    rackId: string({ since: 11, default: '' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 7 }),
    sessionId: int32({ since: 7, default: 0 }),
    responses: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        divergingEpoch: taggedStruct(
          {
            epoch: int32({ default: -1 }),
            endOffset: int64({ default: -1 }),
          },
          { since: 12, tag: 0 },
        ),
        currentLeader: taggedStruct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { since: 12, tag: 1 },
        ),
        snapshotId: taggedStruct(
          {
            endOffset: int64({ default: -1 }),
            epoch: int32({ default: -1 }),
          },
          { since: 12, tag: 2 },
        ),
        abortedTransactions: array(
          {
            producerId: int64(),
            firstOffset: int64(),
          },
          { nullable: 4 },
        ),
        preferredReadReplica: int32({ since: 11, default: -1 }),
        records: bytes({ nullable: 0 }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: 16, default: null }),
      },
      { since: 16, tag: 0 },
    ),
  },
  handle(request, { broker }) {},
  refuse: (request, errorCode) => ({}),
});
