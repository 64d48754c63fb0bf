import { errorCodes, errorName, InvalidRecordsError, ProtocolError } from '../wire/error-codes.ts';
import { array, bytes, int16, int32, int64, string, taggedStruct } from '../wire/schema.ts';
import { CloseConnection, defineApi, type RequestContext } from './api.ts';

/**
 * Produce (key 0), versions 0–11, flexible from 9.
 *
 *   Request =>
 *     transactional_id => NULLABLE_STRING (v3+)
 *     acks => INT16
 *     timeout_ms => INT32
 *     topic_data => ARRAY
 *       name => STRING
 *       partition_data => ARRAY
 *         index => INT32
 *         records => NULLABLE_RECORDS
 *   Response =>
 *     responses => ARRAY
 *       name => STRING
 *       partition_responses => ARRAY
 *         index => INT32
 *         error_code => INT16
 *         base_offset => INT64
 *         log_append_time_ms => INT64 (v2+)
 *         log_start_offset => INT64 (v5+)
 *         record_errors => ARRAY (v8+)
 *           batch_index => INT32
 *           batch_index_error_message => NULLABLE_STRING
 *         error_message => NULLABLE_STRING (v8+)
 *         current_leader => (v10+) tag 0
 *           leader_id => INT32
 *           leader_epoch => INT32
 *     throttle_time_ms => INT32 (v1+)
 *     node_endpoints => ARRAY (v10+) tag 0
 *       node_id => INT32
 *       host => STRING
 *       port => INT32
 *       rack => NULLABLE_STRING
 */
export const produce = defineApi({
  key: 0,
  name: 'Produce',
  versions: [0, 11],
  servedSince: 3, // librdkafka compresses only when version 0 is advertised (KAFKA-18659); nobody sends it
  flexibleSince: 9,
  leavesFrame: true,
  request: {
    transactionalId: string({ since: 3, nullable: 3, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string(),
      partitionData: array({
        index: int32(),
        records: bytes({ nullable: 0 }),
      }),
    }),
  },
  response: {
    responses: array({
      name: string(),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ since: 2, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: 8, default: null }),
          },
          { since: 8, default: [] },
        ),
        errorMessage: string({ since: 8, nullable: 8, default: null }),
        currentLeader: taggedStruct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { since: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ since: 1, default: 0 }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: 10, default: null }),
      },
      { since: 10, tag: 0 },
    ),
  },
  async handle(request, context) {
    const appended = request.topicData.map(topic => ({
      name: topic.name,
      partitions: topic.partitionData.map(({ index, records }) =>
        append(request, topic.name, index, records, context),
      ),
    }));
    const responses = await Promise.all(
      appended.map(async ({ name, partitions }) => ({
        name,
        partitionResponses: await Promise.all(partitions),
      })),
    );
    if (request.acks !== 0) return { responses };
    // Nobody reads an answer; a closed connection is how a client without acknowledgements learns of an error.
    const failed = responses
      .flatMap(topic => topic.partitionResponses)
      .find(({ errorCode }) => errorCode !== 0);
    if (failed) throw new CloseConnection(`produce with acks=0 failed: ${errorName(failed.errorCode)}`);
    return null;
  },
  refuse: (request, errorCode) => ({
    responses: request.topicData.map(topic => ({
      name: topic.name,
      partitionResponses: topic.partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
    })),
  }),
});

/** zstd came with this version (KIP-110); clients that speak an older one could not read it back. */
const ZSTD_SINCE = 7;

interface PartitionResponse {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs?: number;
  readonly logStartOffset?: number;
  readonly recordErrors?: readonly {
    readonly batchIndex: number;
    readonly batchIndexErrorMessage: string | null;
  }[];
  readonly errorMessage?: string | null;
}

async function append(
  request: { readonly acks: number; readonly transactionalId: string | null },
  topicName: string,
  index: number,
  records: Buffer | null,
  { broker, version }: RequestContext,
): Promise<PartitionResponse> {
  try {
    if (request.acks < -1 || request.acks > 1) throw new ProtocolError('invalidRequiredAcks');
    const { topic, partition } = broker.topics.partition(topicName, index);
    const appended = await partition.append(records ?? Buffer.alloc(0), {
      nowMs: broker.settings.clock.now(),
      settings: topic.settings,
      inTransaction: producer => broker.transactions.includes(producer, topicName, index),
      zstdAllowed: version >= ZSTD_SINCE,
    });
    await appended.written;
    const { baseOffset, logAppendTimeMs } = appended;
    return {
      index,
      errorCode: errorCodes.none,
      baseOffset,
      logAppendTimeMs,
      logStartOffset: partition.log.logStartOffset,
    };
  } catch (error) {
    return refusal(index, error, broker);
  }
}

function refusal(index: number, error: unknown, broker: RequestContext['broker']): PartitionResponse {
  const errorMessage = error instanceof ProtocolError ? error.message : null;
  const recordErrors =
    error instanceof InvalidRecordsError
      ? error.indexes.map(batchIndex => ({ batchIndex, batchIndexErrorMessage: errorMessage }))
      : [];
  return { index, errorCode: broker.codeOf(error), baseOffset: -1, recordErrors, errorMessage };
}
