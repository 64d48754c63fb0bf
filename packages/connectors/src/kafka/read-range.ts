import { Consumer } from '@platformatic/kafka';
import type { SourceRecord } from '@tidemark/pipeline';
import { clientOptions, type KafkaConnection } from './client-options.ts';
import { recordsFrom } from './record-batches.ts';

const responseBytesMax = 8 * 1024 * 1024;
const waitMs = 500;
/** Batches without records, markers of transactions, that are looked past. */
const looksMax = 10;

/** Reads single partitions from anywhere, without being a member of any group: for audits and for looking things up. */
export class LogReader {
  readonly #consumer: Consumer;

  constructor(connection: KafkaConnection) {
    // The library wants a group id; this client never joins and never commits.
    this.#consumer = new Consumer({
      ...clientOptions(connection),
      groupId: 'tidemark-log-reader',
      retries: 3,
    });
  }

  /** The first offset that the log still has, by partition. */
  async starts(topic: string): Promise<bigint[]> {
    return (await this.#consumer.listOffsets({ topics: [topic], timestamp: -2n })).get(topic) ?? [];
  }

  /** The offset behind the last record, by partition. */
  async ends(topic: string): Promise<bigint[]> {
    return (await this.#consumer.listOffsets({ topics: [topic], timestamp: -1n })).get(topic) ?? [];
  }

  /** Yields the records from `from` up to, and without, `to`, waiting for those that are not written yet. */
  async *read(topic: string, partition: number, from: bigint, to: bigint): AsyncGenerator<SourceRecord[]> {
    if (!this.#consumer.topics.has(topic)) this.#consumer.topics.track(topic);
    for (let next = from; next < to; ) {
      const fetched = await this.#readOn(topic, partition, next, responseBytesMax);
      if (fetched.next === next) continue;
      next = fetched.next;
      yield fetched.records.filter(record => record.offset < to);
    }
  }

  /**
   * The first record from `from` on, for little more than its own batch; undefined when there is none yet that may be
   * seen, as while a transaction is open.
   */
  async first(topic: string, partition: number, from: bigint): Promise<SourceRecord | undefined> {
    if (!this.#consumer.topics.has(topic)) this.#consumer.topics.track(topic);
    let next = from;
    for (let looks = 0; looks < looksMax; looks += 1) {
      // A broker answers with one whole batch at least, however little is asked for (KIP-74).
      const fetched = await this.#readOn(topic, partition, next, 1);
      if (fetched.records[0] || fetched.next === next) return fetched.records[0];
      next = fetched.next;
    }
    return undefined;
  }

  close(): Promise<void> {
    return this.#consumer.close(true);
  }

  async #readOn(topic: string, partition: number, from: bigint, bytesMax: number) {
    return recordsFrom({ topic, partition }, await this.#fetch(topic, partition, from, bytesMax), from);
  }

  async #fetch(topic: string, partition: number, fetchOffset: bigint, bytesMax: number) {
    const metadata = await this.#consumer.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    const response = await this.#consumer.fetch({
      node: found?.partitions[partition]?.leader ?? 0,
      minBytes: 1,
      maxBytes: bytesMax,
      maxWaitTime: waitMs,
      topics: [
        {
          topicId: found?.id ?? topic,
          partitions: [
            {
              partition,
              fetchOffset,
              partitionMaxBytes: bytesMax,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
            },
          ],
        },
      ],
    });
    return response.responses
      .flatMap(({ topicId, partitions }) => (topicId === found?.id ? partitions : []))
      .filter(({ partitionIndex }) => partitionIndex === partition)
      .flatMap(({ records }) => records ?? []);
  }
}
