import { errorCodes } from '../wire/error-codes.ts';
import { array, boolean, bytes, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * JoinGroup (key 11), versions 0–9, flexible from 6.
 *
 *   Request =>
 *     group_id => STRING
 *     session_timeout_ms => INT32
 *     rebalance_timeout_ms => INT32 (v1+)
 *     member_id => STRING
 *     group_instance_id => NULLABLE_STRING (v5+)
 *     protocol_type => STRING
 *     protocols => ARRAY
 *       name => STRING
 *       metadata => BYTES
 *     reason => NULLABLE_STRING (v8+)
 *   Response =>
 *     throttle_time_ms => INT32 (v2+)
 *     error_code => INT16
 *     generation_id => INT32
 *     protocol_type => NULLABLE_STRING (v7+)
 *     protocol_name => NULLABLE_STRING
 *     leader => STRING
 *     skip_assignment => BOOL (v9+)
 *     member_id => STRING
 *     members => ARRAY
 *       member_id => STRING
 *       group_instance_id => NULLABLE_STRING (v5+)
 *       metadata => BYTES
 */
export const joinGroup = defineApi({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleSince: 6,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ since: 1, default: -1 }),
    memberId: string(),
    groupInstanceId: string({ since: 5, nullable: 5, default: null }),
    protocolType: string(),
    protocols: array({
      name: string(),
      metadata: bytes(),
    }),
    reason: string({ since: 8, nullable: 8, default: null }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, default: 0 }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ since: 7, nullable: 7, default: null }),
    protocolName: string({ nullable: 7 }),
    leader: string(),
    skipAssignment: boolean({ since: 9, default: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ since: 5, nullable: 5, default: null }),
      metadata: bytes(),
    }),
  },
  async handle(request, { broker, version, clientId, peer }) {
    const join = {
      ...request,
      clientId: clientId ?? '',
      clientHost: `/${peer.address}`,
      rebalanceTimeoutMs:
        version >= REBALANCE_TIMEOUT_SINCE ? request.rebalanceTimeoutMs : request.sessionTimeoutMs,
      canRejoinWithId: version >= MEMBER_ID_REQUIRED_SINCE,
    };
    const result = await broker.groups.join(join, peer.closed);
    // Before version 7 the name must not be null; old clients read an empty one as "none".
    const protocolName =
      version >= NULLABLE_PROTOCOL_SINCE ? result.protocolName : (result.protocolName ?? '');
    if (version >= SKIP_ASSIGNMENT_SINCE || !result.skipAssignment) return { ...result, protocolName };
    // Who leads would share out what is shared already; who is not told that it leads does not.
    return { ...result, protocolName, leader: '', members: [] };
  },
  refuse: (request, errorCode) => ({
    errorCode,
    protocolName: '',
    leader: '',
    memberId: request.memberId,
    members: [],
  }),
});

const REBALANCE_TIMEOUT_SINCE = 1;
/** Clients that speak this version know what MEMBER_ID_REQUIRED means (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4;
const NULLABLE_PROTOCOL_SINCE = 7;
/** Clients that speak this version know that a returning static leader need not assign anything (KIP-814). */
const SKIP_ASSIGNMENT_SINCE = 9;
