import { fencedFor } from '../transactions/fencing.ts';
import { errorCodes } from '../wire/error-codes.ts';
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
  storageErrorCode: errorCodes.coordinatorNotAvailable,
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
  async handle(request, { broker, version }) {
    if (request.transactionalId === null) {
      return { errorCode: errorCodes.none, producerId: await broker.producerIds.next(), producerEpoch: 0 };
    }
    const claim = { ...request, transactionalId: request.transactionalId };
    const { producerId, producerEpoch } = await fencedFor(version >= FENCED_SINCE, async () =>
      broker.transactions.init(claim),
    );
    return { errorCode: errorCodes.none, producerId, producerEpoch };
  },
  refuse: (_request, errorCode) => ({ errorCode, producerEpoch: -1 }),
});

/** Clients that speak this version understand PRODUCER_FENCED (KIP-588). */
const FENCED_SINCE = 4;
