import type { BrokerParts } from './broker-composition.ts';
import type { GroupState } from './groups/group-generation.ts';

/** What the broker holds at one moment; cheap enough to be taken at every scrape. */
export interface BrokerSnapshot {
  readonly connections: number;
  /** Requests that are being handled. */
  readonly requestBytes: number;
  /** Requests that have begun to arrive. */
  readonly incompleteBytes: number;
  /** Answers that peers have not read yet. */
  readonly unsentBytes: number;
  /** Newest batches kept in memory for readers at the tail. */
  readonly cacheBytes: number;
  readonly partitions: readonly PartitionSnapshot[];
  readonly groups: readonly GroupSize[];
}

export interface PartitionSnapshot {
  readonly topic: string;
  readonly partition: number;
  readonly logStartOffset: number;
  /** The log end: everything below may be read. */
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly sizeBytes: number;
  readonly segments: number;
}

export interface GroupSize {
  readonly group: string;
  readonly state: GroupState;
  readonly members: number;
}

export function takeSnapshot(
  parts: BrokerParts,
  network: Pick<BrokerSnapshot, 'connections' | 'requestBytes' | 'incompleteBytes' | 'unsentBytes'>,
): BrokerSnapshot {
  const { connections, requestBytes, incompleteBytes, unsentBytes } = network;
  return {
    connections,
    requestBytes,
    incompleteBytes,
    unsentBytes,
    cacheBytes: parts.logs.cache.bytes,
    partitions: parts.topics.all().flatMap(({ name, partitions }) =>
      partitions.map(({ index, log, lastStableOffset }) => ({
        topic: name,
        partition: index,
        logStartOffset: log.logStartOffset,
        highWatermark: log.highWatermark,
        lastStableOffset,
        sizeBytes: log.sizeBytes,
        segments: log.segments.length,
      })),
    ),
    groups: parts.registry
      .all()
      .map(({ id, state, members }) => ({ group: id, state, members: members.length })),
  };
}
