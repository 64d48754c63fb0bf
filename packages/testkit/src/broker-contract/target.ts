import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners, type Producer, type ProducerConfig } from 'kafkajs';
import { eventually } from '../eventually.ts';

/** A broker under test. The suites know nothing of it but where it listens. */
export interface BrokerTarget {
  /** `host:port` for bootstrap.servers. */
  address(): string;
}

/** A name nobody used before, so that suites may run again and again against the same broker. */
export function uniqueName(purpose: string): string {
  return `${purpose}-${randomUUID().slice(0, 8)}`;
}

export function kafkajsClient(target: BrokerTarget, clientId = 'contract-kafkajs'): Kafka {
  return new Kafka({
    clientId,
    brokers: [target.address()],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 8 },
  });
}

/** Connects a kafkajs producer for the duration of `work`. */
export async function withProducer<T>(
  target: BrokerTarget,
  work: (producer: Producer) => Promise<T>,
  config: ProducerConfig = {},
): Promise<T> {
  const producer = kafkajsClient(target).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    ...config,
  });
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Creates a topic and returns its name. */
export async function createTopic(
  target: BrokerTarget,
  purpose: string,
  options: { readonly partitions?: number; readonly configs?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const topic = uniqueName(purpose);
  const admin = kafkajsClient(target).admin();
  await admin.connect();
  try {
    const configEntries = Object.entries(options.configs ?? {}).map(([name, value]) => ({ name, value }));
    const numPartitions = options.partitions ?? 1;
    await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: false });
    // Apache Kafka's controller answers before its brokers know the topic, and kafkajs gives up on one it does not see.
    await eventually(`${topic} has ${numPartitions} leaders`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.filter(({ leader }) => leader >= 0).length === numPartitions;
    });
    return topic;
  } finally {
    await admin.disconnect();
  }
}
