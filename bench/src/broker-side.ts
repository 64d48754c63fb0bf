import { Admin } from '@platformatic/kafka';
import {
  type BrokerUnderTest,
  type KafkaDistribution,
  type Launched,
  startEmbeddedBroker,
  startKafka,
} from '@tidemark/e2e/brokers';
import { eventually } from '@tidemark/testkit';
import { fetchFrame, fetchHead } from './broker-frames.ts';
import { ask, firstAnswer } from './broker-process.ts';

/** Who is compared. */
export type SideName = 'tidemark' | 'kafka';
export const sideNames = ['tidemark', 'kafka'] as const satisfies readonly SideName[];

/** A broker that runs, and what was learnt of its start. */
export interface Side {
  readonly broker: BrokerUnderTest;
  readonly pid: number;
  readonly port: number;
  /** From the start of the process to the first answered ApiVersions. */
  readonly startMs: number;
}

/** The options with which Kafka's own `kafka-server-start` runs the Java machine. */
const kafkaJavaOptions = [
  '-Xms1G',
  '-Xmx1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];

/**
 * Kafka's own defaults where the tests set something smaller. What a finished measurement leaves behind goes within a
 * second, so that it is not written to the disk during the next one.
 */
const kafkaProperties = {
  'num.network.threads': 3,
  'num.io.threads': 8,
  'log.segment.delete.delay.ms': 1000,
};

/** Both acknowledge after the write to the page cache and leave syncing to the system: Kafka's default. */
const embeddedArgs = ['--fsync=os'];

export const settings = {
  durability:
    'acks=all; both acknowledge after the write and leave syncing to the system: Kafka by default, tidemark broker --fsync os',
  kafka: { java: kafkaJavaOptions.join(' '), properties: kafkaProperties },
  tidemark: embeddedArgs.join(' '),
};

export async function startSide(name: SideName, kafka: KafkaDistribution): Promise<Side> {
  let launched: Launched | undefined;
  let startMs = Promise.resolve(Number.NaN);
  const onLaunch = (process: Launched) => {
    launched = process;
    const begun = performance.now();
    startMs = firstAnswer(process.port).then(() => performance.now() - begun);
    startMs.catch(() => {}); // whoever starts a broker that ends at once says so better
  };
  const broker =
    name === 'kafka'
      ? await startKafka(kafka, { onLaunch, javaOptions: kafkaJavaOptions, properties: kafkaProperties })
      : await startEmbeddedBroker({ onLaunch, args: embeddedArgs });
  if (!launched) throw new Error(`${broker.name} has no process`);
  return { broker, pid: launched.pid, port: launched.port, startMs: await startMs };
}

/** Makes a topic that can be written to; the returned function removes it. */
export async function makeTopic(
  { broker, port }: Side,
  topic: string,
  partitions: number,
): Promise<() => Promise<void>> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [broker.bootstrap] });
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  // Kafka names a leader in its metadata a moment before that leader serves the partition.
  await eventually(`${topic} can be used`, async () => {
    for (let partition = 0; partition < partitions; partition += 1) {
      const answer = await ask(port, fetchFrame(topic, partition, 0, 0));
      if (fetchHead(answer, topic).error !== 0) return false;
    }
    return true;
  });
  return async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.close();
  };
}
