import assert from 'node:assert/strict';
import { fetch } from '../../src/api/01-fetch.ts';
import {
  isControl,
  isTransactional,
  markerCommits,
  readBatchHeader,
} from '../../src/storage/record-batch.ts';
import { decodeRecords } from '../../src/storage/records.ts';
import type { RawClient } from '../raw-client.ts';

const VERSION = 11;
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

interface FetchedPartition {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly abortedTransactions:
    | readonly { readonly producerId: number; readonly firstOffset: number }[]
    | null;
  readonly records: Buffer;
}

/** Where records are read from. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface ReadRecord {
  readonly offset: number;
  readonly key: string;
}

/** Reads one partition from its beginning as a consumer of committed data does, to its last stable offset. */
export async function readCommitted(
  client: RawClient,
  topic: string,
  partition: number,
): Promise<ReadRecord[]> {
  const found: ReadRecord[] = [];
  const aborting = new Set<number>();
  for (let offset = 0; ; ) {
    const fetched = await fetchFrom(client, { topic, partition, offset }, true);
    assert.equal(fetched.lastStableOffset, fetched.highWatermark, 'nothing is left undecided');
    if (offset >= fetched.lastStableOffset) return found;
    const begun = [...(fetched.abortedTransactions ?? [])];
    for (const { header, batch } of batchesOf(fetched.records)) {
      offset = header.lastOffset + 1;
      while (begun[0] && begun[0].firstOffset <= header.lastOffset)
        aborting.add(begun.shift()?.producerId ?? -1);
      if (isControl(header.attributes)) {
        if (!markerCommits(batch)) aborting.delete(header.producerId);
      } else if (!isTransactional(header.attributes) || !aborting.has(header.producerId)) {
        found.push(...(await recordsOf(batch)));
      }
    }
  }
}

/** Whatever is there from the place on, decided or not; an empty list when nothing came within the long poll. */
export async function readSome(
  client: RawClient,
  place: Place,
): Promise<{ readonly records: readonly ReadRecord[]; readonly nextOffset: number; readonly end: number }> {
  const { records: bytes, highWatermark } = await fetchFrom(client, place, false);
  const records: ReadRecord[] = [];
  let nextOffset = place.offset;
  for (const { header, batch } of batchesOf(bytes)) {
    if (!isControl(header.attributes)) records.push(...(await recordsOf(batch)));
    nextOffset = header.lastOffset + 1;
  }
  return { records: records.filter(({ offset }) => offset >= place.offset), nextOffset, end: highWatermark };
}

async function recordsOf(batch: Buffer): Promise<ReadRecord[]> {
  const records = await decodeRecords(batch);
  return records.map(({ offset, key }) => ({ offset, key: key?.toString() ?? '' }));
}

function* batchesOf(records: Buffer) {
  for (let at = 0; at < records.length; ) {
    const header = readBatchHeader(records, at);
    yield { header, batch: records.subarray(at, at + header.size) };
    at += header.size;
  }
}

async function fetchFrom(client: RawClient, place: Place, committedOnly: boolean): Promise<FetchedPartition> {
  const response = await client.call<{
    readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
  }>(fetch, VERSION, fetchRequest(place, committedOnly));
  const partition = response.responses[0]?.partitions[0];
  assert.ok(partition && partition.errorCode === 0, `fetch answered ${partition?.errorCode}`);
  return partition;
}

function fetchRequest({ topic, partition, offset }: Place, committedOnly: boolean) {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: null,
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: committedOnly ? 1 : 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic,
        topicId: NO_ID,
        partitions: [
          {
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: offset,
            lastFetchedEpoch: -1,
            logStartOffset: -1,
            partitionMaxBytes: 50_000,
            replicaDirectoryId: NO_ID,
          },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  };
}
