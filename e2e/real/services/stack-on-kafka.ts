import { type Stack, startStack } from '../../src/stack.ts';
import type { KafkaDistribution } from '../kafka/java.ts';
import { startKafka } from '../kafka/server.ts';

/** A whole stack whose services talk to Apache Kafka; the embedded broker is left out. */
export async function startStackOnKafka(distribution: KafkaDistribution): Promise<Stack> {
  const kafka = await startKafka(distribution);
  try {
    const stack = await startStack({ env: { KAFKA_BROKERS: kafka.bootstrap } });
    return {
      ...stack,
      async stop() {
        await stack.stop();
        await kafka.stop();
      },
    };
  } catch (error) {
    await kafka.stop();
    throw error;
  }
}
