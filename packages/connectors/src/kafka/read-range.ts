import { Consumer } from '@platformatic/kafka';
import type { SourceRecord } from '@tidemark/pipeline';
import { clientOptions, type KafkaConnection } from './client-options.ts';
import { recordsFrom } from './record-batches.ts';

const responseBytesMax = 8 * 1024 * 1024;
const waitMs = 500;

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

  /** Yields the records from `from` up to, and without, `to`. */
  async *read(topic: string, partition: number, from: bigint, to: bigint): AsyncGenerator<SourceRecord[]> {
    if (!this.#consumer.topics.has(topic)) this.#consumer.topics.track(topic);
    for (let next = from; next < to; ) {
      const fetched = recordsFrom({ topic, partition }, await this.#fetch(topic, partition, next), next);
      if (fetched.next === next) continue;
      next = fetched.next;
      yield fetched.records.filter(record => record.offset < to);
    }
  }

  close(): Promise<void> {
    return this.#consumer.close(true);
  }

  async #fetch(topic: string, partition: number, fetchOffset: bigint) {
    const metadata = await this.#consumer.metadata({ topics: [topic] });
    const found = metadata.topics.get(topic);
    const response = await this.#consumer.fetch({
      node: found?.partitions[partition]?.leader ?? 0,
      minBytes: 1,
      maxBytes: responseBytesMax,
      maxWaitTime: waitMs,
      topics: [
        {
          topicId: found?.id ?? topic,
          partitions: [
            {
              partition,
              fetchOffset,
              partitionMaxBytes: responseBytesMax,
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
