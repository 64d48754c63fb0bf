import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * ListGroups (key 16), versions 0–5, flexible from 3.
 *
 *   Request =>
 *     states_filter => [STRING] (v4+)
 *     types_filter => [STRING] (v5+)
 *   Response =>
 *     throttle_time_ms => INT32 (v1+)
 *     error_code => INT16
 *     groups => ARRAY
 *       group_id => STRING
 *       protocol_type => STRING
 *       group_state => STRING (v4+)
 *       group_type => STRING (v5+)
 */
export const listGroups = defineApi({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    statesFilter: list(string(), { since: 4 }),
    typesFilter: list(string(), { since: 5 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ since: 4 }),
      groupType: string({ since: 5 }),
    }),
  },
  handle(request, { broker }) {
    const states = request.statesFilter.map(state => state.toLowerCase());
    const types = request.typesFilter.map(type => type.toLowerCase());
    const groups = broker.groups.registry
      .all()
      .filter(group => states.length === 0 || states.includes(group.state.toLowerCase()))
      .filter(() => types.length === 0 || types.includes('classic'))
      .map(group => ({
        groupId: group.id,
        protocolType: group.protocolType ?? '',
        groupState: group.state,
        groupType: 'classic',
      }));
    return { errorCode: errorCodes.none, groups };
  },
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
});
