import { Kafka, logLevel } from 'kafkajs';

/** A message of a topic as a client of another make reads it. */
export interface TopicMessage {
  readonly partition: number;
  readonly text: string;
  /** Names and values, one a line. */
  readonly headers: string;
}

/** Everything that a topic holds now, in the order of each partition. */
export async function everyMessage(brokers: string, topic: string): Promise<readonly TopicMessage[]> {
  const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const ends = new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  const messages: TopicMessage[] = [];
  if (open.size === 0) return messages;
  const consumer = kafka.consumer({ groupId: `reader-${process.pid}-${Math.random()}` });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            const behind = (ends.get(partition) ?? 0) - Number(message.offset);
            // What came meanwhile is left out: other partitions may be done, and would lack what came before it.
            if (behind <= 0) return;
            messages.push({
              partition,
              text: message.value?.toString() ?? '',
              headers: Object.entries(message.headers ?? {})
                .map(([name, value]) => `\n${name}: ${String(value)}`)
                .join(''),
            });
            if (behind === 1) open.delete(partition);
            if (open.size === 0) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return messages;
}
