import { int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * InitProducerId (key 22), versions 0–5, flexible from 2.
 *
 *   Request =>
 *     transactional_id => NULLABLE_STRING
 *     transaction_timeout_ms => INT32
 *     producer_id => INT64 (v3+)
 *     producer_epoch => INT16 (v3+)
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16
 *     producer_id => INT64
 *     producer_epoch => INT16
 */
export const initProducerId = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexibleSince: 2,
  request: {
    transactionalId: string({ nullable: 0 }),
    transactionTimeoutMs: int32(),
    producerId: int64({ since: 3, default: -1 }),
    producerEpoch: int16({ since: 3, default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
  },
  handle(request, { broker }) {},
  refuse: (request, errorCode) => ({}),
});
