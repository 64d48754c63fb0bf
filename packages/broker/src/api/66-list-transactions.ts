import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * ListTransactions (key 66), versions 0–1, flexible from 0.
 *
 *   Request =>
 *     state_filters => [STRING]
 *     producer_id_filters => [INT64]
 *     duration_filter => INT64 (v1+)
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16
 *     unknown_state_filters => [STRING]
 *     transaction_states => ARRAY
 *       transactional_id => STRING
 *       producer_id => INT64
 *       transaction_state => STRING
 */
export const listTransactions = defineApi({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    stateFilters: list(string()),
    producerIdFilters: list(int64()),
    durationFilter: int64({ since: 1, default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    unknownStateFilters: list(string()),
    transactionStates: array({
      transactionalId: string(),
      producerId: int64(),
      transactionState: string(),
    }),
  },
  handle(request, { broker }) {
    const { stateFilters, producerIdFilters, durationFilter } = request;
    const startedBefore = broker.settings.clock.now() - durationFilter;
    const transactionStates = broker.transactions
      .all()
      .filter(txn => stateFilters.length === 0 || stateFilters.includes(txn.status))
      .filter(txn => producerIdFilters.length === 0 || producerIdFilters.includes(txn.producerId))
      .filter(txn => durationFilter < 0 || (txn.status === 'Ongoing' && txn.startedAtMs < startedBefore))
      .map(({ transactionalId, producerId, status }) => ({
        transactionalId,
        producerId,
        transactionState: status,
      }));
    const unknownStateFilters = stateFilters.filter(state => !STATES.includes(state));
    return { errorCode: errorCodes.none, unknownStateFilters, transactionStates };
  },
  refuse: (_request, errorCode) => ({ errorCode, unknownStateFilters: [], transactionStates: [] }),
});

const STATES: readonly string[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
];
