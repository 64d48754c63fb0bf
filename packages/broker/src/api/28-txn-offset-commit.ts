import { answerOffsets, checkOffsets } from '../groups/offset-check.ts';
import { fencedFor } from '../transactions/fencing.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * TxnOffsetCommit (key 28), versions 0–4, flexible from 3.
 *
 *   Request =>
 *     transactional_id => STRING
 *     group_id => STRING
 *     producer_id => INT64
 *     producer_epoch => INT16
 *     generation_id => INT32 (v3+)
 *     member_id => STRING (v3+)
 *     group_instance_id => NULLABLE_STRING (v3+)
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         committed_offset => INT64
 *         committed_leader_epoch => INT32 (v2+)
 *         committed_metadata => NULLABLE_STRING
 *   Response =>
 *     throttle_time_ms => INT32
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 */
export const txnOffsetCommit = defineApi({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 4],
  flexibleSince: 3,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    // The member, so that a zombie's offsets are refused (KIP-447).
    generationId: int32({ since: 3, default: -1 }),
    memberId: string({ since: 3, default: '' }),
    groupInstanceId: string({ since: 3, nullable: 3, default: null }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 2, default: -1 }),
        committedMetadata: string({ nullable: 0 }),
      }),
    }),
  },
  response: {
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
    await fencedFor(false, async () => broker.transactions.checkOffsets(request, request.groupId));
    const memberError = broker.groups.checkTransactionalCommit(request.groupId, request);
    if (memberError !== errorCodes.none) return answerOffsets(request.topics, () => memberError);
    const { rows, errorOf } = checkOffsets(request.topics, broker);
    if (rows.length > 0) await broker.groups.registry.stage(request.groupId, request.producerId, rows);
    return answerOffsets(request.topics, errorOf);
  },
  refuse: (request, errorCode) => answerOffsets(request.topics, () => errorCode),
});
