import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * LeaveGroup (key 13), versions 0–5, flexible from 4.
 *
 *   Request =>
 *     group_id => STRING
 *     member_id => STRING (to v2)
 *     members => ARRAY (v3+)
 *       member_id => STRING
 *       group_instance_id => NULLABLE_STRING
 *       reason => NULLABLE_STRING (v5+)
 *   Response =>
 *     throttle_time_ms => INT32 (v1+)
 *     error_code => INT16
 *     members => ARRAY (v3+)
 *       member_id => STRING
 *       group_instance_id => NULLABLE_STRING
 *       error_code => INT16
 */
export const leaveGroup = defineApi({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: 3, default: null }),
        reason: string({ since: 5, nullable: 5, default: null }),
      },
      { since: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: 3 }),
        errorCode: int16(),
      },
      { since: 3, default: [] },
    ),
  },
  handle(request, { broker, version }) {
    if (request.groupId === '') return { errorCode: errorCodes.invalidGroupId };
    if (version < MANY_MEMBERS_SINCE) {
      const leaving = { memberId: request.memberId, groupInstanceId: null };
      return { errorCode: broker.groups.leave(request.groupId, leaving) };
    }
    const members = request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: broker.groups.leave(request.groupId, { memberId, groupInstanceId }),
    }));
    return { errorCode: errorCodes.none, members };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});

/** From this version on several members leave at once, each with an answer of its own (KIP-345). */
const MANY_MEMBERS_SINCE = 3;
