import { errorCodes } from '../wire/error-codes.ts';
import { array, boolean, int16, int32, int64, list, string } from '../wire/schema.ts';
import { defineApi } from './api.ts';

/**
 * DescribeLogDirs (key 35), versions 1–4, flexible from 2.
 *
 *   Request =>
 *     topics => ARRAY
 *       topic => STRING
 *       partitions => [INT32]
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16 (v3+)
 *     results => ARRAY
 *       error_code => INT16
 *       log_dir => STRING
 *       topics => ARRAY
 *         name => STRING
 *         partitions => ARRAY
 *           partition_index => INT32
 *           partition_size => INT64
 *           offset_lag => INT64
 *           is_future_key => BOOL
 *       total_bytes => INT64 (v4+)
 *       usable_bytes => INT64 (v4+)
 */
export const describeLogDirs = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 4],
  flexibleSince: 2,
  request: {
    topics: array(
      {
        topic: string(),
        partitions: list(int32()),
      },
      { nullable: 0 },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 3 }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: boolean(),
        }),
      }),
      totalBytes: int64({ since: 4, default: -1 }),
      usableBytes: int64({ since: 4, default: -1 }),
    }),
  },
  handle(request, { broker }) {
    const wanted =
      request.topics && new Map(request.topics.map(({ topic, partitions }) => [topic, partitions]));
    const topics = broker.topics
      .all()
      .filter(({ name }) => wanted === null || wanted.has(name))
      .map(({ name, partitions }) => ({
        name,
        partitions: partitions
          .filter(({ index }) => wanted?.get(name)?.includes(index) ?? true)
          .map(({ index, log }) => ({
            partitionIndex: index,
            partitionSize: log.sizeBytes,
            offsetLag: 0,
            isFutureKey: false,
          })),
      }));
    const logDir = broker.settings.dataDir ?? 'memory';
    return { errorCode: errorCodes.none, results: [{ errorCode: errorCodes.none, logDir, topics }] };
  },
  refuse: (_request, errorCode) => ({ errorCode, results: [] }),
});
