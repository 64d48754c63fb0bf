import type { BrokerCore } from '../broker-core.ts';
import type { OffsetStore } from '../groups/offset-store.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, boolean, int16, int32, int64, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * OffsetFetch (key 9), versions 1–9, flexible from 6.
 *
 *   Request =>
 *     group_id => STRING (to v7)
 *     topics => ARRAY (to v7)
 *       name => STRING
 *       partition_indexes => [INT32]
 *     groups => ARRAY (v8+)
 *       group_id => STRING
 *       member_id => NULLABLE_STRING (v9+)
 *       member_epoch => INT32 (v9+)
 *       topics => ARRAY
 *         name => STRING
 *         partition_indexes => [INT32]
 *     require_stable => BOOL (v7+)
 *   Response =>
 *     throttle_time_ms => INT32 (v3+)
 *     topics => ARRAY (to v7)
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         committed_offset => INT64
 *         committed_leader_epoch => INT32 (v5+)
 *         metadata => NULLABLE_STRING
 *         error_code => INT16
 *     error_code => INT16 (v2–7)
 *     groups => ARRAY (v8+)
 *       group_id => STRING
 *       topics => ARRAY
 *         name => STRING
 *         partitions => ARRAY
 *           partition_index => INT32
 *           committed_offset => INT64
 *           committed_leader_epoch => INT32
 *           metadata => NULLABLE_STRING
 *           error_code => INT16
 *       error_code => INT16
 */
export const offsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 9],
  flexibleSince: 6,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    groupId: string({ until: 7 }),
    topics: array(
      {
        name: string(),
        partitionIndexes: list(int32()),
      },
      { until: 7, nullable: 2 },
    ),
    groups: array(
      {
        groupId: string(),
        memberId: string({ since: 9, nullable: 9, default: null }),
        memberEpoch: int32({ since: 9, default: -1 }),
        topics: array(
          {
            name: string(),
            partitionIndexes: list(int32()),
          },
          { nullable: 8 },
        ),
      },
      { since: 8 },
    ),
    requireStable: boolean({ since: 7, default: false }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, default: 0 }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ since: 5, default: -1 }),
          metadata: string({ nullable: 0 }),
          errorCode: int16(),
        }),
      },
      { until: 7 },
    ),
    errorCode: int16({ since: 2, until: 7, default: 0 }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string(),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ default: -1 }),
            metadata: string({ nullable: 8 }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16({ default: 0 }),
      },
      { since: 8, default: [] },
    ),
  },
  handle(request, { broker, version }) {
    const fetch = (groupId: string, topics: WantedTopics) =>
      fetchOffsets(broker, groupId, topics, request.requireStable);
    if (version < MANY_GROUPS_SINCE) return { topics: fetch(request.groupId, request.topics) };
    return {
      topics: [],
      groups: request.groups.map(({ groupId, topics }) => ({ groupId, topics: fetch(groupId, topics) })),
    };
  },
  refuse: (request, errorCode) => ({
    topics: [],
    errorCode,
    groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
  }),
});

/** From this version on one request asks for several groups (KIP-709). */
const MANY_GROUPS_SINCE = 8;

/** Null asks for everything the group has. */
type WantedTopics = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null;

function fetchOffsets(broker: BrokerCore, groupId: string, topics: WantedTopics, requireStable: boolean) {
  const offsets = broker.groups.registry.offsets(groupId);
  return (topics ?? everythingIn(offsets)).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partition => committed(offsets, name, partition, requireStable)),
  }));
}

function everythingIn(offsets: OffsetStore | undefined): NonNullable<WantedTopics> {
  const rows = offsets?.rows() ?? [];
  return [...Map.groupBy(rows, row => row.topic)].map(([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(row => row.partition),
  }));
}

function committed(
  offsets: OffsetStore | undefined,
  topic: string,
  partitionIndex: number,
  requireStable: boolean,
) {
  if (requireStable && offsets?.isUnstable(topic, partitionIndex)) {
    return { partitionIndex, committedOffset: -1, metadata: '', errorCode: errorCodes.unstableOffsetCommit };
  }
  const found = offsets?.get(topic, partitionIndex);
  return {
    partitionIndex,
    committedOffset: found?.offset ?? -1,
    committedLeaderEpoch: found?.leaderEpoch ?? -1,
    metadata: found?.metadata ?? '',
    errorCode: errorCodes.none,
  };
}
