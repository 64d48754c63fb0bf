import type { BrokerCore } from '../broker-core.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DeleteGroups (key 42), versions 0–2, flexible from 2.
 *
 *   Request =>
 *     groups_names => [STRING]
 *   Response =>
 *     throttle_time_ms => INT32
 *     results => ARRAY
 *       group_id => STRING
 *       error_code => INT16
 */
export const deleteGroups = defineApi({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleSince: 2,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    groupsNames: list(string()),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      groupId: string(),
      errorCode: int16(),
    }),
  },
  async handle(request, { broker }) {
    const results: { readonly groupId: string; readonly errorCode: number }[] = [];
    for (const groupId of request.groupsNames)
      results.push({ groupId, errorCode: await remove(broker, groupId) });
    return { results };
  },
  refuse: (request, errorCode) => ({ results: request.groupsNames.map(groupId => ({ groupId, errorCode })) }),
});

async function remove(broker: BrokerCore, groupId: string): Promise<number> {
  if (groupId === '') return errorCodes.invalidGroupId;
  const { registry } = broker.groups;
  const group = registry.get(groupId);
  if (!group) return errorCodes.groupIdNotFound;
  if (group.state !== 'Empty' || group.hasPending) return errorCodes.nonEmptyGroup;
  await registry.delete(groupId);
  return errorCodes.none;
}
