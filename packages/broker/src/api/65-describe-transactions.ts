import type { Transaction } from '../transactions/transaction.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DescribeTransactions (key 65), versions 0–0, flexible from 0.
 *
 *   Request =>
 *     transactional_ids => [STRING]
 *   Response =>
 *     throttle_time_ms => INT32
 *     transaction_states => ARRAY
 *       error_code => INT16
 *       transactional_id => STRING
 *       transaction_state => STRING
 *       transaction_timeout_ms => INT32
 *       transaction_start_time_ms => INT64
 *       producer_id => INT64
 *       producer_epoch => INT16
 *       topics => ARRAY
 *         topic => STRING
 *         partitions => [INT32]
 */
export const describeTransactions = defineApi({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    transactionalIds: list(string()),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    transactionStates: array({
      errorCode: int16(),
      transactionalId: string(),
      transactionState: string(),
      transactionTimeoutMs: int32(),
      transactionStartTimeMs: int64(),
      producerId: int64(),
      producerEpoch: int16(),
      topics: array({
        topic: string(),
        partitions: list(int32()),
      }),
    }),
  },
  handle: (request, { broker }) => ({
    transactionStates: request.transactionalIds.map(transactionalId => {
      const txn = broker.transactions.get(transactionalId);
      return txn ? describe(txn) : { ...ABSENT, transactionalId };
    }),
  }),
  refuse: (request, errorCode) => ({
    transactionStates: request.transactionalIds.map(transactionalId => ({
      ...ABSENT,
      transactionalId,
      errorCode,
    })),
  }),
});

const ABSENT = {
  errorCode: errorCodes.transactionalIdNotFound as number,
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: -1,
  producerId: -1,
  producerEpoch: -1,
  topics: [],
};

function describe(txn: Transaction) {
  const isOpen = txn.partitions.length > 0;
  return {
    errorCode: errorCodes.none,
    transactionalId: txn.transactionalId,
    transactionState: txn.status,
    transactionTimeoutMs: txn.timeoutMs,
    transactionStartTimeMs: isOpen ? txn.startedAtMs : -1,
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    topics: [...Map.groupBy(txn.partitions, ({ topic }) => topic)].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ index }) => index),
    })),
  };
}
