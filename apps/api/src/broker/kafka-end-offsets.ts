import type { Admin } from '@platformatic/kafka';
import type { PartitionEnd } from './event-broker.ts';

export interface EndOffsetReader {
  /** Ends of all partitions of those topics that exist. */
  read(topics: readonly string[]): Promise<readonly PartitionEnd[]>;
  close(): Promise<void>;
}

/** ListOffsets takes this in place of a timestamp for the end of a partition (Kafka protocol guide, ListOffsets). */
const latest = -1n;

/** Asks brokers for the ends of partitions. Loads the client library at the first question. */
export function createEndOffsetReader(brokers: readonly string[], clientId: string): EndOffsetReader {
  let admin: Admin | undefined;

  async function open(): Promise<Admin> {
    const { Admin: KafkaAdmin } = await import('@platformatic/kafka');
    return new KafkaAdmin({
      clientId,
      bootstrapBrokers: [...brokers],
      retries: 0,
      connectTimeout: 1500,
      requestTimeout: 3000,
    });
  }

  return {
    async read(topics) {
      admin ??= await open();
      const used = admin;
      try {
        return await endsOf(used, topics);
      } catch (error) {
        // A client that failed is replaced: it may hold on to a broker that is gone.
        if (admin === used) admin = undefined;
        used.close().catch(() => {});
        throw error;
      }
    },
    async close() {
      await admin?.close();
    },
  };
}

async function endsOf(admin: Admin, topics: readonly string[]): Promise<readonly PartitionEnd[]> {
  const existing = new Set(await admin.listTopics());
  const known = topics.filter(topic => existing.has(topic));
  if (known.length === 0) return [];
  const metadata = await admin.metadata({ topics: known });
  const asked = [...metadata.topics].map(([name, { partitionsCount }]) => ({
    name,
    partitions: Array.from({ length: partitionsCount }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: latest,
    })),
  }));
  const listed = await admin.listOffsets({ topics: asked });
  return listed.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, offset }) => ({
      topic: name,
      partition: partitionIndex,
      endOffset: offset,
    })),
  );
}
