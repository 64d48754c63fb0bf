import { array, bytes, int16, int32, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * SyncGroup (key 14), versions 0–5, flexible from 4.
 *
 *   Request =>
 *     group_id => STRING
 *     generation_id => INT32
 *     member_id => STRING
 *     group_instance_id => NULLABLE_STRING (v3+)
 *     protocol_type => NULLABLE_STRING (v5+)
 *     protocol_name => NULLABLE_STRING (v5+)
 *     assignments => ARRAY
 *       member_id => STRING
 *       assignment => BYTES
 *   Response =>
 *     throttle_time_ms => INT32 (v1+)
 *     error_code => INT16
 *     protocol_type => NULLABLE_STRING (v5+)
 *     protocol_name => NULLABLE_STRING (v5+)
 *     assignment => BYTES
 */
export const syncGroup = defineApi({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullable: 3, default: null }),
    protocolType: string({ since: 5, nullable: 5, default: null }),
    protocolName: string({ since: 5, nullable: 5, default: null }),
    assignments: array({
      memberId: string(),
      assignment: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
    protocolType: string({ since: 5, nullable: 5, default: null }),
    protocolName: string({ since: 5, nullable: 5, default: null }),
    assignment: bytes(),
  },
  handle: (request, { broker, peer }) => broker.groups.sync(request, peer.closed),
  refuse: (_request, errorCode) => ({ errorCode, assignment: Buffer.alloc(0) }),
});
