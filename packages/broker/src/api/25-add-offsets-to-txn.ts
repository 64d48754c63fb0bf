import { fencedFor } from '../transactions/fencing.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * AddOffsetsToTxn (key 25), versions 0–4, flexible from 3.
 *
 *   Request =>
 *     transactional_id => STRING
 *     producer_id => INT64
 *     producer_epoch => INT16
 *     group_id => STRING
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16
 */
export const addOffsetsToTxn = defineApi({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleSince: 3,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    groupId: string(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
  },
  async handle(request, { broker, version }) {
    await fencedFor(version >= FENCED_SINCE, () => broker.transactions.addGroup(request, request.groupId));
    return { errorCode: errorCodes.none };
  },
  refuse: (_request, errorCode) => ({ errorCode }),
});

/** Clients that speak this version understand PRODUCER_FENCED (KIP-588). */
const FENCED_SINCE = 2;
