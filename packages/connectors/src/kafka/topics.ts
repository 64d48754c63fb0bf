import { Admin, findErrorBy } from '@platformatic/kafka';
import { topicPartitions, topicSettings } from '@tidemark/contracts/names';
import { clientOptions, type KafkaConnection } from './client-options.ts';

/** Partitions of a topic that nobody declared. */
const defaultPartitions = 1;

/**
 * Creates the topics that do not exist, with the partitions and settings that the contracts declare. Replicas are the cluster's
 * default (-1, KIP-464). An existing topic is left as it is.
 */
export async function ensureTopics(connection: KafkaConnection, topics: readonly string[]): Promise<void> {
  const admin = new Admin(clientOptions(connection));
  try {
    const existing = new Set(await admin.listTopics());
    for (const topic of topics) {
      if (existing.has(topic)) continue;
      const partitions = topicPartitions[topic] ?? defaultPartitions;
      const configs = Object.entries(topicSettings[topic] ?? {}).map(([name, value]) => ({ name, value }));
      await admin
        .createTopics({ topics: [{ topic, partitions, replicas: -1 }], configs })
        .catch(ignoreExisting);
    }
  } finally {
    await admin.close();
  }
}

/** Another service may have been faster. */
function ignoreExisting(error: Error): void {
  if (!findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS')) throw error;
}
