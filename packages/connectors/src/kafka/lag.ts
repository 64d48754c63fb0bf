import { Admin } from '@platformatic/kafka';
import type { TopicPartition } from '@tidemark/pipeline';
import { clientOptions, type KafkaConnection } from './client-options.ts';
import { LogReader } from './read-range.ts';

/** How far a group is behind in a partition. */
export interface PartitionLag extends TopicPartition {
  /** The group's committed offset; undefined when it never committed. */
  readonly committed: bigint | undefined;
  readonly endOffset: bigint;
  /** Records between the committed offset, or the beginning of the log, and the end. Never negative. */
  readonly lag: bigint;
  /** Timestamp of the first record that is not committed; undefined when there is none. */
  readonly oldestMs?: number | undefined;
}

/** ListOffsets takes these in place of a timestamp (Kafka protocol guide, ListOffsets). */
const latest = -1n;
const earliest = -2n;

/** Reads lag as the broker sees it, whoever consumes. */
export class LagReader {
  readonly #connection: KafkaConnection;
  #admin: Admin | undefined;
  #log: LogReader | undefined;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  /** Resolves when a broker answers. */
  async ping(): Promise<void> {
    await this.#use(admin => admin.metadata({ topics: [], forceUpdate: true }));
  }

  /**
   * The lag of a group over topics. The end is asked for after the committed offsets, so a lag is never negative
   * because of work done in between; what retention removed does not count as lag.
   */
  read(group: string, topics: readonly string[]): Promise<PartitionLag[]> {
    return this.#use(async admin => {
      const partitions = await partitionsOf(admin, topics);
      const committed = await committedOffsets(admin, group);
      const starts = await listOffsets(admin, partitions, earliest);
      const ends = await listOffsets(admin, partitions, latest);
      return partitions.map(({ topic, partition }) => {
        const key = `${topic}:${partition}`;
        const start = starts.get(key) ?? 0n;
        const endOffset = ends.get(key) ?? start;
        const stored = committed.get(key);
        const from = stored !== undefined && stored > start ? stored : start;
        return {
          topic,
          partition,
          committed: stored,
          endOffset,
          lag: endOffset > from ? endOffset - from : 0n,
        };
      });
    });
  }

  /** Consumer groups that the broker knows, by name. */
  groups(): Promise<string[]> {
    return this.#use(async admin => [...(await admin.listGroups()).keys()].sort());
  }

  /** Topics in which a group has committed offsets, by name. */
  topicsOf(group: string): Promise<string[]> {
    return this.#use(async admin => {
      const committed = await committedOffsets(admin, group);
      return [...new Set([...committed.keys()].map(key => key.slice(0, key.lastIndexOf(':'))))].sort();
    });
  }

  /** As {@link read}, with the age of what waits: looks at the first record of every partition that has a lag. */
  async readWithAge(group: string, topics: readonly string[]): Promise<PartitionLag[]> {
    const lags = await this.read(group, topics);
    try {
      this.#log ??= new LogReader(this.#connection);
      const log = this.#log;
      return await Promise.all(
        lags.map(async found => {
          if (found.lag === 0n) return found;
          const { topic, partition, endOffset, lag } = found;
          return { ...found, oldestMs: (await log.first(topic, partition, endOffset - lag))?.timestampMs };
        }),
      );
    } catch (error) {
      await this.#closeLog();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#admin?.close();
    this.#admin = undefined;
    await this.#closeLog();
  }

  async #closeLog(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    await log?.close().catch(() => {});
  }

  /** A client that failed is replaced: it may hold on to a broker that is gone. */
  async #use<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    this.#admin ??= new Admin(clientOptions(this.#connection));
    const admin = this.#admin;
    try {
      return await work(admin);
    } catch (error) {
      if (this.#admin === admin) this.#admin = undefined;
      await admin.close().catch(() => {});
      throw error;
    }
  }
}

async function partitionsOf(admin: Admin, topics: readonly string[]): Promise<TopicPartition[]> {
  const metadata = await admin.metadata({ topics: [...topics] });
  return [...metadata.topics].flatMap(([topic, { partitionsCount }]) =>
    Array.from({ length: partitionsCount }, (_, partition) => ({ topic, partition })),
  );
}

async function committedOffsets(admin: Admin, group: string): Promise<Map<string, bigint>> {
  const groups = await admin.listConsumerGroupOffsets({ groups: [group] });
  const committed = new Map<string, bigint>();
  for (const { name, partitions } of groups.flatMap(found => found.topics)) {
    for (const { partitionIndex, committedOffset } of partitions) {
      if (committedOffset >= 0n) committed.set(`${name}:${partitionIndex}`, committedOffset);
    }
  }
  return committed;
}

async function listOffsets(
  admin: Admin,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
): Promise<Map<string, bigint>> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  const topics = [...byTopic].map(([name, members]) => ({
    name,
    partitions: members.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
  }));
  const listed = await admin.listOffsets({ topics });
  return new Map(
    listed.flatMap(({ name, partitions: found }) =>
      found.map(({ partitionIndex, offset }) => [`${name}:${partitionIndex}`, offset] as const),
    ),
  );
}
