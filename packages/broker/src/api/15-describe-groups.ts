import type { Group } from '../groups/group.ts';
import { operationsIf } from '../security/authorized-operations.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, boolean, bytes, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DescribeGroups (key 15), versions 0–5, flexible from 5.
 *
 *   Request =>
 *     groups => [STRING]
 *     include_authorized_operations => BOOL (v3+)
 *   Response =>
 *     throttle_time_ms => INT32 (v1+)
 *     groups => ARRAY
 *       error_code => INT16
 *       group_id => STRING
 *       group_state => STRING
 *       protocol_type => STRING
 *       protocol_data => STRING
 *       members => ARRAY
 *         member_id => STRING
 *         group_instance_id => NULLABLE_STRING (v4+)
 *         client_id => STRING
 *         client_host => STRING
 *         member_metadata => BYTES
 *         member_assignment => BYTES
 *       authorized_operations => INT32 (v3+)
 */
export const describeGroups = defineApi({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 5],
  flexibleSince: 5,
  request: {
    groups: list(string()),
    includeAuthorizedOperations: boolean({ since: 3 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    groups: array({
      errorCode: int16(),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string({ since: 4, nullable: 4, default: null }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ since: 3, default: -2147483648 }),
    }),
  },
  handle: (request, { broker }) => ({
    groups: request.groups.map(groupId => {
      const group = broker.groups.registry.get(groupId);
      if (groupId === '') return { ...ABSENT, groupId, errorCode: errorCodes.invalidGroupId };
      const authorizedOperations = operationsIf(request.includeAuthorizedOperations, 'group');
      return { ...(group ? describe(group) : { ...ABSENT, groupId }), authorizedOperations };
    }),
  }),
  refuse: (request, errorCode) => ({
    groups: request.groups.map(groupId => ({ ...ABSENT, groupId, errorCode })),
  }),
});

/** Up to version 5 a group that does not exist is "Dead", not an error. */
const ABSENT = {
  errorCode: errorCodes.none as number,
  groupState: 'Dead',
  protocolType: '',
  protocolData: '',
  members: [],
};

function describe(group: Group) {
  const isSettled = group.state === 'Stable';
  return {
    errorCode: errorCodes.none,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: isSettled ? (group.protocolName ?? '') : '',
    members: group.members.map(member => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.description.clientId,
      clientHost: member.description.clientHost,
      memberMetadata: isSettled ? member.metadataFor(group.protocolName) : Buffer.alloc(0),
      memberAssignment: member.assignment,
    })),
  };
}
