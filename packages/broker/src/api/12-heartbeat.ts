import { int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * Heartbeat (key 12), versions 0–4, flexible from 4.
 *
 *   Request =>
 *     group_id => STRING
 *     generation_id => INT32
 *     member_id => STRING
 *     group_instance_id => NULLABLE_STRING (v3+)
 *   Response =>
 *     throttle_time_ms => INT32 (v1+)
 *     error_code => INT16
 */
export const heartbeat = defineApi({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullable: 3, default: null }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
  },
  handle: (request, { broker }) => ({ errorCode: broker.groups.heartbeat(request.groupId, request) }),
  refuse: (_request, errorCode) => ({ errorCode }),
});
