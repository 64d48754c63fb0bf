import type { BrokerCore } from '../broker-core.ts';
import { errorCodes } from '../wire/error-codes.ts';
import type { OffsetRow } from './offset-store.ts';

/** Longest metadata a client may store beside an offset (`offset.metadata.max.bytes`). */
const METADATA_BYTES_MAX = 4096;

interface OffsetTopics {
  readonly name: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: number;
    readonly committedLeaderEpoch: number;
    readonly committedMetadata: string | null;
  }[];
}

/** Tells the rows of a commit that may be stored from those that are refused, and why. */
export function checkOffsets(
  topics: readonly OffsetTopics[],
  broker: BrokerCore,
): { readonly rows: OffsetRow[]; readonly errorOf: (topic: string, partition: number) => number } {
  const committedAtMs = broker.settings.clock.now();
  const refused = new Map<string, number>();
  const rows: OffsetRow[] = [];
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
      const metadata = committedMetadata ?? '';
      const errorCode = checkOne(broker, name, partitionIndex, metadata);
      if (errorCode !== errorCodes.none) refused.set(`${name}/${partitionIndex}`, errorCode);
      else {
        const leaderEpoch = committedLeaderEpoch;
        rows.push({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch,
          metadata,
          committedAtMs,
        });
      }
    }
  }
  return { rows, errorOf: (topic, partition) => refused.get(`${topic}/${partition}`) ?? errorCodes.none };
}

function checkOne(broker: BrokerCore, topic: string, partition: number, metadata: string): number {
  if (!broker.topics.get(topic)?.partitions[partition]) return errorCodes.unknownTopicOrPartition;
  return Buffer.byteLength(metadata) > METADATA_BYTES_MAX
    ? errorCodes.offsetMetadataTooLarge
    : errorCodes.none;
}

/** The answer to a commit, plain or transactional: an error code for every partition that was named. */
export function answerOffsets(
  topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number }[];
  }[],
  errorOf: (topic: string, partition: number) => number,
) {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(name, partitionIndex),
      })),
    })),
  };
}
