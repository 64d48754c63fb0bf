import { systemClock } from '@tidemark/kernel';
import { eventually } from '@tidemark/testkit';
import { Kafka, logLevel } from 'kafkajs';

/** Looks at how many messages topics hold. */
export class TopicEnds {
  readonly #admin;

  constructor(brokers: string) {
    this.#admin = new Kafka({
      brokers: [brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 20 },
    }).admin();
  }

  open(): Promise<void> {
    return this.#admin.connect();
  }

  close(): Promise<void> {
    return this.#admin.disconnect();
  }

  async create(topic: string, partitions: number): Promise<void> {
    await this.#admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] });
  }

  /** A topic that was just created has no leader for a moment. */
  async count(topic: string): Promise<number> {
    const offsets = await eventually('the topic answers', () => this.#admin.fetchTopicOffsets(topic));
    return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  }

  /**
   * How many messages a second come, from the first that is seen to the last.
   * @param known messages that were there before
   */
  async rate(topic: string, known: number, expected: number): Promise<number> {
    const deadline = systemClock.monotonic() + rateWithinMs;
    let first: { readonly at: number; readonly count: number } | undefined;
    while (systemClock.monotonic() < deadline) {
      const count = (await this.count(topic)) - known;
      const at = systemClock.monotonic();
      if (count > 0) first ??= { at, count };
      // Watermarks are messages as well, so there can be more.
      if (count >= expected && first !== undefined) return ((count - first.count) * 1000) / (at - first.at);
      await systemClock.sleep(lookEveryMs);
    }
    throw new Error(
      `${topic} has ${await this.count(topic)} of ${known + expected} messages after two minutes`,
    );
  }
}

const rateWithinMs = 120_000;
const lookEveryMs = 20;
