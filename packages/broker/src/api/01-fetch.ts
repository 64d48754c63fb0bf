import type { BrokerCore } from '../broker-core.ts';
import { Arrivals } from '../topics/arrivals.ts';
import type { Partition } from '../topics/partition.ts';
import {
  type PartitionRead,
  type ReadOutcome,
  type ReadPlan,
  type ReadResult,
  readPartitions,
  releaseAll,
} from '../topics/reading.ts';
import { errorCodes } from '../wire/error-codes.ts';
import { array, bytes, int8, int16, int32, int64, list, string, taggedStruct, uuid } from '../wire/schema.ts';
import { defineApi, type RequestContext } from './api.ts';

/**
 * Fetch (key 1), versions 4–17, flexible from 12.
 *
 *   Request =>
 *     cluster_id => NULLABLE_STRING (v12+) tag 0
 *     replica_id => INT32 (to v14)
 *     replica_state => (v15+) tag 1
 *       replica_id => INT32
 *       replica_epoch => INT64
 *     max_wait_ms => INT32
 *     min_bytes => INT32
 *     max_bytes => INT32
 *     isolation_level => INT8
 *     session_id => INT32 (v7+)
 *     session_epoch => INT32 (v7+)
 *     topics => ARRAY
 *       topic => STRING (to v12)
 *       topic_id => UUID (v13+)
 *       partitions => ARRAY
 *         partition => INT32
 *         current_leader_epoch => INT32 (v9+)
 *         fetch_offset => INT64
 *         last_fetched_epoch => INT32 (v12+)
 *         log_start_offset => INT64 (v5+)
 *         partition_max_bytes => INT32
 *         replica_directory_id => UUID (v17+) tag 0
 *     forgotten_topics_data => ARRAY (v7+)
 *       topic => STRING (to v12)
 *       topic_id => UUID (v13+)
 *       partitions => [INT32]
 *     rack_id => STRING (v11+)
 *   Response =>
 *     throttle_time_ms => INT32
 *     error_code => INT16 (v7+)
 *     session_id => INT32 (v7+)
 *     responses => ARRAY
 *       topic => STRING (to v12)
 *       topic_id => UUID (v13+)
 *       partitions => ARRAY
 *         partition_index => INT32
 *         error_code => INT16
 *         high_watermark => INT64
 *         last_stable_offset => INT64
 *         log_start_offset => INT64 (v5+)
 *         diverging_epoch => (v12+) tag 0
 *           epoch => INT32
 *           end_offset => INT64
 *         current_leader => (v12+) tag 1
 *           leader_id => INT32
 *           leader_epoch => INT32
 *         snapshot_id => (v12+) tag 2
 *           end_offset => INT64
 *           epoch => INT32
 *         aborted_transactions => ARRAY
 *           producer_id => INT64
 *           first_offset => INT64
 *         preferred_read_replica => INT32 (v11+)
 *         records => NULLABLE_RECORDS
 *     node_endpoints => ARRAY (v16+) tag 0
 *       node_id => INT32
 *       host => STRING
 *       port => INT32
 *       rack => NULLABLE_STRING
 */
export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 17],
  flexibleSince: 12,
  request: {
    clusterId: string({ since: 12, nullable: 12, tag: 0, default: null }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: taggedStruct(
      {
        replicaId: int32({ default: -1 }),
        replicaEpoch: int64({ default: -1 }),
      },
      { since: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    isolationLevel: int8({ default: 0 }),
    sessionId: int32({ since: 7, default: 0 }),
    sessionEpoch: int32({ since: 7, default: -1 }),
    topics: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 9, default: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ since: 12, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ since: 17, tag: 0 }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ until: 12 }),
        topicId: uuid({ since: 13 }),
        partitions: list(int32()),
      },
      { since: 7 },
    ),
    rackId: string({ since: 11, default: '' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 7 }),
    sessionId: int32({ since: 7, default: 0 }),
    responses: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        divergingEpoch: taggedStruct(
          {
            epoch: int32({ default: -1 }),
            endOffset: int64({ default: -1 }),
          },
          { since: 12, tag: 0 },
        ),
        currentLeader: taggedStruct(
          {
            leaderId: int32({ default: -1 }),
            leaderEpoch: int32({ default: -1 }),
          },
          { since: 12, tag: 1 },
        ),
        snapshotId: taggedStruct(
          {
            endOffset: int64({ default: -1 }),
            epoch: int32({ default: -1 }),
          },
          { since: 12, tag: 2 },
        ),
        abortedTransactions: array(
          {
            producerId: int64(),
            firstOffset: int64(),
          },
          { nullable: 4 },
        ),
        preferredReadReplica: int32({ since: 11, default: -1 }),
        records: bytes({ nullable: 0 }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: 16, default: null }),
      },
      { since: 16, tag: 0 },
    ),
  },
  async handle(request, context) {
    // Sessions (KIP-227) are refused by answering id 0; an epoch above 0 speaks of one that was never given out.
    if (request.sessionEpoch > 0) return { errorCode: errorCodes.fetchSessionIdNotFound, responses: [] };
    const { partitions, plan } = planFetch(request, context.broker, context.version >= TOPIC_IDS_SINCE);
    const found = await readPlan(plan, context.broker);
    if (isEnough(found, request.minBytes) || request.maxWaitMs <= 0)
      return toResponse(request, found.results, context);
    releaseAll(found.results);
    return toResponse(request, (await longPoll(request, partitions, plan, context)).results, context);
  },
  refuse: (request, errorCode) => ({
    errorCode,
    responses: request.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition }) => ({
        partitionIndex: partition,
        errorCode,
        highWatermark: -1,
        abortedTransactions: null,
        records: [],
      })),
    })),
  }),
});

/** From this version on topics are named by their id (KIP-516). */
const TOPIC_IDS_SINCE = 13;

interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly currentLeaderEpoch: number;
      readonly fetchOffset: number;
      readonly lastFetchedEpoch: number;
      readonly partitionMaxBytes: number;
    }[];
  }[];
}

interface Plan {
  readonly partitions: readonly Partition[];
  readonly plan: ReadPlan;
}

function planFetch(request: FetchRequest, broker: BrokerCore, byId: boolean): Plan {
  const reads: PartitionRead[] = [];
  for (const { topic: name, topicId, partitions } of request.topics) {
    const topic = byId ? broker.topics.getById(topicId) : broker.topics.get(name);
    const absentCode = byId && !topic ? errorCodes.unknownTopicId : errorCodes.unknownTopicOrPartition;
    for (const wanted of partitions) {
      reads.push({
        partition: topic?.partitions[wanted.partition],
        absentCode,
        leaderEpoch: wanted.currentLeaderEpoch,
        offset: wanted.fetchOffset,
        lastFetchedEpoch: wanted.lastFetchedEpoch,
        bytesMax: wanted.partitionMaxBytes,
      });
    }
  }
  const bytesMax = Math.min(request.maxBytes, broker.settings.limits.fetchBytesMax);
  return {
    partitions: reads.flatMap(read => read.partition ?? []),
    plan: { reads, bytesMax, committedOnly: request.isolationLevel === 1 },
  };
}

function readPlan(plan: ReadPlan, broker: BrokerCore): Promise<ReadOutcome> {
  return readPartitions(plan, error => broker.codeOf(error));
}

const isEnough = ({ bytes, hasError }: ReadOutcome, bytesMin: number) => hasError || bytes >= bytesMin;

/** Waits for more until there is enough, the time is up, or the peer is gone. */
async function longPoll(
  request: FetchRequest,
  partitions: readonly Partition[],
  plan: ReadPlan,
  { broker, peer }: RequestContext,
): Promise<ReadOutcome> {
  const { clock, timers } = broker.settings;
  const deadlineMs = clock.monotonic() + request.maxWaitMs;
  for (;;) {
    // The watch begins before the read, so that nothing can arrive unseen between the two.
    const arrivals = new Arrivals(partitions);
    try {
      const found = await readPlan(plan, broker);
      const leftMs = deadlineMs - clock.monotonic();
      if (isEnough(found, request.minBytes) || leftMs <= 0 || peer.closed.aborted) return found;
      releaseAll(found.results);
      // For a reader of committed data a marker of few bytes may decide about many that arrived before.
      const wanted = plan.committedOnly ? 1 : request.minBytes - found.bytes;
      await arrivals.wait(wanted, leftMs, timers, peer.closed);
    } finally {
      arrivals.stop();
    }
  }
}

/** Every partition asked for appears in the answer: without a session, Java clients insist on that. */
function toResponse(request: FetchRequest, results: readonly ReadResult[], context: RequestContext) {
  context.whenSent(() => releaseAll(results));
  let next = 0;
  const responses = request.topics.map(({ topic, topicId, partitions }) => ({
    topic,
    topicId,
    partitions: partitions.map(({ partition }) => {
      const result = results[next] as ReadResult;
      next += 1;
      return { partitionIndex: partition, ...result };
    }),
  }));
  return { errorCode: errorCodes.none, responses };
}
