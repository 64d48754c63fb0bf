import { answerOffsets, checkOffsets } from '../groups/offset-check.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * OffsetCommit (key 8), versions 2–9, flexible from 8.
 *
 *   Request =>
 *     group_id => STRING
 *     generation_id_or_member_epoch => INT32
 *     member_id => STRING
 *     group_instance_id => NULLABLE_STRING (v7+)
 *     retention_time_ms => INT64 (to v4)
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         committed_offset => INT64
 *         committed_leader_epoch => INT32 (v6+)
 *         committed_metadata => NULLABLE_STRING
 *   Response =>
 *     throttle_time_ms => INT32 (v3+)
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 */
export const offsetCommit = defineApi({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 9],
  flexibleSince: 8,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1 }),
    memberId: string(),
    groupInstanceId: string({ since: 7, nullable: 7, default: null }),
    retentionTimeMs: int64({ until: 4, default: -1 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 6, default: -1 }),
        committedMetadata: string({ nullable: 0 }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
  async handle(request, { broker, version }) {
    const claim = {
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      generationId: request.generationIdOrMemberEpoch,
    };
    const unknownGroup =
      version >= GROUP_NOT_FOUND_SINCE ? errorCodes.groupIdNotFound : errorCodes.illegalGeneration;
    const groupError = broker.groups.checkCommit(request.groupId, claim, unknownGroup);
    if (groupError !== errorCodes.none) return answerOffsets(request.topics, () => groupError);
    const { rows, errorOf } = checkOffsets(request.topics, broker);
    if (rows.length > 0) await broker.groups.registry.commit(request.groupId, rows);
    return answerOffsets(request.topics, errorOf);
  },
  refuse: (request, errorCode) => answerOffsets(request.topics, () => errorCode),
});

/** Version 9 tells a group that does not exist from a stale generation (KIP-848). */
const GROUP_NOT_FOUND_SINCE = 9;
