import { errorCodes } from '../wire/error-codes.ts';
import { array, int8, int16, int32, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * FindCoordinator (key 10), versions 0–5, flexible from 3.
 *
 *   Request =>
 *     key => STRING (to v3)
 *     key_type => INT8 (v1+)
 *     coordinator_keys => [STRING] (v4+)
 *   Response =>
 *     throttle_time_ms => INT32 (v1+)
 *     error_code => INT16 (to v3)
 *     error_message => NULLABLE_STRING (v1–3)
 *     node_id => INT32 (to v3)
 *     host => STRING (to v3)
 *     port => INT32 (to v3)
 *     coordinators => ARRAY (v4+)
 *       key => STRING
 *       node_id => INT32
 *       host => STRING
 *       port => INT32
 *       error_code => INT16
 *       error_message => NULLABLE_STRING
 */
export const findCoordinator = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    key: string({ until: 3 }),
    keyType: int8({ since: 1, default: 0 }),
    coordinatorKeys: list(string(), { since: 4 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16({ until: 3 }),
    errorMessage: string({ since: 1, until: 3, nullable: 1, default: null }),
    nodeId: int32({ until: 3 }),
    host: string({ until: 3 }),
    port: int32({ until: 3 }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: 4, default: null }),
      },
      { since: 4, default: [] },
    ),
  },
  handle(request, { broker, version }) {
    const { id: nodeId, host, port } = broker.node;
    const keys = version >= MANY_KEYS_SINCE ? request.coordinatorKeys : [];
    return {
      ...coordinatorOf(request.keyType, { nodeId, host, port }),
      coordinators: keys.map(key => ({ key, ...coordinatorOf(request.keyType, { nodeId, host, port }) })),
    };
  },
  refuse: (request, errorCode) => ({
    errorCode,
    ...NOWHERE,
    coordinators: request.coordinatorKeys.map(key => ({ key, errorCode, ...NOWHERE })),
  }),
});

/** From this version on one request asks for several coordinators (KIP-699). */
const MANY_KEYS_SINCE = 4;
/** Kinds of keys: consumer group, transactional id. */
const KEY_TYPE_MAX = 1;
const NOWHERE = { nodeId: -1, host: '', port: -1 };

function coordinatorOf(keyType: number, node: typeof NOWHERE) {
  if (keyType < 0 || keyType > KEY_TYPE_MAX) return { errorCode: errorCodes.invalidRequest, ...NOWHERE };
  return { errorCode: errorCodes.none, ...node };
}
