import assert from 'node:assert/strict';
import { fetch } from '../src/api/01-fetch.ts';
import { isControl, isTransactional, markerCommits, readBatchHeader } from '../src/storage/record-batch.ts';
import { decodeRecords } from '../src/storage/records.ts';
import { RawClient } from './raw-client.ts';

const VERSION = 11;
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

interface FetchResponse {
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly errorCode: number;
      readonly highWatermark: number;
      readonly lastStableOffset: number;
      readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[];
      readonly records: Buffer;
    }[];
  }[];
}

/** Reads one partition as a consumer of committed data does, to its last stable offset: offset → key. */
export async function readCommitted(
  address: string,
  topic: string,
  index: number,
): Promise<Map<number, string>> {
  const client = new RawClient(address);
  const found = new Map<number, string>();
  const aborting = new Set<number>();
  try {
    for (let offset = 0; ; ) {
      const response = await client.call<FetchResponse>(fetch, VERSION, fetchRequest(topic, index, offset));
      const partition = response.responses[0]?.partitions[0];
      assert.ok(partition && partition.errorCode === 0, `fetch answered ${partition?.errorCode}`);
      assert.equal(partition.lastStableOffset, partition.highWatermark, 'nothing is left undecided');
      if (offset >= partition.lastStableOffset) return found;
      const begun = [...partition.abortedTransactions];
      for (let at = 0; at < partition.records.length; ) {
        const header = readBatchHeader(partition.records, at);
        const batch = partition.records.subarray(at, at + header.size);
        at += header.size;
        offset = header.lastOffset + 1;
        while (begun[0] && begun[0].firstOffset <= header.lastOffset)
          aborting.add(begun.shift()?.producerId ?? -1);
        if (isControl(header.attributes)) {
          if (!markerCommits(batch)) aborting.delete(header.producerId);
        } else if (!isTransactional(header.attributes) || !aborting.has(header.producerId)) {
          for (const record of await decodeRecords(batch)) {
            assert.ok(!found.has(record.offset), `offset ${record.offset} was read twice`);
            found.set(record.offset, record.key?.toString() ?? '');
          }
        }
      }
    }
  } finally {
    client.close();
  }
}

function fetchRequest(topic: string, partition: number, fetchOffset: number) {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: null,
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 1,
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
            fetchOffset,
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
