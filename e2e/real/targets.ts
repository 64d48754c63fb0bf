import { after, before, describe } from 'node:test';
import { need } from './availability.ts';
import type { BrokerUnderTest } from './broker-under-test.ts';
import { startEmbeddedBroker } from './embedded-broker.ts';
import { kafkaDistribution } from './kafka/distribution.ts';
import type { KafkaLine } from './kafka/java.ts';
import { startKafka } from './kafka/server.ts';

/** A broker that a suite can be run against. */
export interface Target {
  readonly name: string;
  /** Why it cannot be had on this machine, or false. */
  readonly skip: string | false;
  start(): Promise<BrokerUnderTest>;
}

export const embedded: Target = { name: 'the embedded broker', skip: false, start: startEmbeddedBroker };

/** Apache Kafka of a version line. */
export async function apacheKafka(line: KafkaLine): Promise<Target> {
  const kafka = await kafkaDistribution(line);
  return {
    name: `Apache Kafka ${kafka.value?.version ?? line}`,
    skip: kafka.skip,
    start: () => startKafka(need(kafka)),
  };
}

export interface Suite {
  readonly title: string;
  /** Why it cannot be run on this machine. */
  readonly skip?: string | false;
  /** How many of its tests run at a time: more than one where they mostly wait. */
  readonly concurrency?: number | undefined;
}

/** Runs a suite on a broker of its own. `body` declares the tests; the broker is there once they run. */
export function onBroker(
  target: Target,
  { title, skip = false, concurrency = 1 }: Suite,
  body: (broker: () => BrokerUnderTest) => void,
): void {
  describe(`${title} on ${target.name}`, { skip: skip || target.skip, concurrency }, () => {
    let broker: BrokerUnderTest | undefined;
    before(async () => {
      broker = await target.start();
    });
    after(() => broker?.stop());
    body(() => {
      if (broker === undefined) throw new Error(`${target.name} is not up`);
      return broker;
    });
  });
}
