import type { BrokerCore } from '../broker-core.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { array, int16, int32, int64, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DeleteRecords (key 21), versions 0–2, flexible from 2.
 *
 *   Request =>
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         offset => INT64
 *     timeout_ms => INT32
 *   Response =>
 *     throttle_time_ms => INT32
 *     topics => ARRAY
 *       name => STRING
 *       partitions => ARRAY
 *         partition_index => INT32
 *         low_watermark => INT64
 *         error_code => INT16
 */
export const deleteRecords = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        offset: int64(),
      }),
    }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
  async handle(request, { broker }) {
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(({ partitionIndex, offset }) => deleteBefore(broker, name, partitionIndex, offset)),
        ),
      })),
    );
    return { topics };
  },
  refuse: (request, errorCode) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  }),
});

/** Asks for everything up to the high watermark. */
const EVERYTHING = -1;

async function deleteBefore(broker: BrokerCore, name: string, partitionIndex: number, wanted: number) {
  try {
    const { partition, topic } = broker.topics.partition(name, partitionIndex);
    if (!topic.settings.deletes) throw new ProtocolError('policyViolation'); // a compacted topic keeps its keys
    const offset = wanted === EVERYTHING ? partition.log.highWatermark : wanted;
    if (offset < 0 || offset > partition.log.highWatermark) throw new ProtocolError('offsetOutOfRange');
    await partition.deleteRecords(offset);
    return { partitionIndex, lowWatermark: partition.log.logStartOffset, errorCode: errorCodes.none };
  } catch (error) {
    return { partitionIndex, lowWatermark: -1, errorCode: broker.codeOf(error) };
  }
}
