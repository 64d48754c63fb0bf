import { fencedFor } from '../transactions/fencing.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, int16, int32, int64, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * AddPartitionsToTxn (key 24), versions 0–3, flexible from 3.
 *
 *   Request =>
 *     transactional_id => STRING
 *     producer_id => INT64
 *     producer_epoch => INT16
 *     topics => ARRAY
 *       name => STRING
 *       partitions => [INT32]
 *   Response =>
 *     throttle_time_ms => INT32
 *     results => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 */
export const addPartitionsToTxn = defineApi({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 3],
  flexibleSince: 3,
  storageErrorCode: errorCodes.coordinatorNotAvailable,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    topics: array({
      name: string(),
      partitions: list(int32()),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
  async handle(request, { broker, version }) {
    const { topics } = request;
    const isKnown = (topic: string, index: number) =>
      broker.topics.get(topic)?.partitions[index] !== undefined;
    const wanted = topics.flatMap(({ name, partitions }) =>
      partitions.map(index => ({ topic: name, index })),
    );
    if (!wanted.every(({ topic, index }) => isKnown(topic, index))) {
      return answer(topics, (topic, index) =>
        isKnown(topic, index) ? errorCodes.operationNotAttempted : errorCodes.unknownTopicOrPartition,
      );
    }
    await fencedFor(version >= FENCED_SINCE, () => broker.transactions.addPartitions(request, wanted));
    return answer(topics, () => errorCodes.none);
  },
  refuse: (request, errorCode) => answer(request.topics, () => errorCode),
});

/** Clients that speak this version understand PRODUCER_FENCED (KIP-588). */
const FENCED_SINCE = 2;

type Topics = readonly { readonly name: string; readonly partitions: readonly number[] }[];

function answer(topics: Topics, errorOf: (topic: string, index: number) => number) {
  return {
    results: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(partitionIndex => ({
        partitionIndex,
        errorCode: errorOf(name, partitionIndex),
      })),
    })),
  };
}
