/** What benchmarks use of this folder: both brokers as processes, and Kafka's own tools. */
export { available, need } from './availability.ts';
export type { BrokerUnderTest, Launched, LaunchOptions } from './broker-under-test.ts';
export { startEmbeddedBroker } from './embedded-broker.ts';
export { kafkaDistribution } from './kafka/distribution.ts';
export type { KafkaDistribution } from './kafka/java.ts';
export { startKafka } from './kafka/server.ts';
export { KafkaTools } from './kafka/tools.ts';
