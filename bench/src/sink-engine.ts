import { randomUUID } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import {
  createMessageSender,
  createPool,
  decodeReview,
  KafkaSource,
  kafkaDeadLetters,
  probe,
  reviewsSink,
} from '@tidemark/connectors';
import { deferred, systemClock } from '@tidemark/kernel';
import { Pipeline } from '@tidemark/pipeline';
import { quantile } from './report.ts';
import { reviewEvent } from './sink-events.ts';

const partitions = 6;
const messagesPerSend = 2000;
const sampleMs = 100;

export interface EngineResult {
  readonly events: number;
  readonly eventsPerSec: number;
  /** From handing a batch to the sink to its acknowledgement, milliseconds. */
  readonly batchP50Ms: number;
  readonly batchP99Ms: number;
  /** Seconds of this process's CPU for a million events. */
  readonly cpuSecondsPerMillion: number;
  readonly memoryMaxMiB: number;
  readonly unaccounted: number;
}

/** Loads a topic and lets the engine bring it into the database. */
export async function engineFromTopic(
  databaseUrl: string,
  brokers: readonly string[],
  events: number,
): Promise<EngineResult> {
  const topic = `bench-sink-${randomUUID().slice(0, 8)}`;
  const connection = { brokers, clientId: 'bench' };
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [...brokers] });
  await admin.createTopics({ topics: [{ topic, partitions, replicas: 1 }] });
  const sender = createMessageSender(connection);
  const pool = createPool({ databaseUrl, applicationName: 'bench', connections: 3 });
  try {
    for (let first = 0; first < events; first += messagesPerSend) {
      const count = Math.min(messagesPerSend, events - first);
      const batch = Array.from({ length: count }, (_, index) => reviewEvent(first + index));
      await sender.send(
        batch.map(event => ({
          topic,
          key: Buffer.from(event.key),
          value: Buffer.from(JSON.stringify(event)),
        })),
      );
    }
    return await drain(topic, connection, pool, events);
  } finally {
    await sender.close();
    await pool.end();
    await admin.deleteTopics({ topics: [topic] });
    await admin.close();
  }
}

async function drain(
  topic: string,
  connection: { brokers: readonly string[]; clientId: string },
  pool: ReturnType<typeof createPool>,
  events: number,
): Promise<EngineResult> {
  const sender = createMessageSender(connection);
  const group = `${topic}-group`;
  const source = new KafkaSource({
    ...connection,
    groupId: group,
    topics: [topic],
    clock: systemClock,
    random: Math.random,
  });
  const durations: number[] = [];
  const done = deferred();
  let settled = 0;
  let startedMs = 0;
  const pipeline = new Pipeline({
    name: group,
    source,
    decode: decodeReview,
    sink: reviewsSink(group, pool),
    deadLetters: kafkaDeadLetters(sender, group),
    probe: () => probe(pool),
    observer: {
      assigned: () => {
        startedMs = performance.now();
      },
      persisted(batch, _receipt, durationMs) {
        durations.push(durationMs);
        settled += batch.items.length;
        if (settled >= events) done.resolve();
      },
    },
    clock: systemClock,
    random: Math.random,
  });
  let memoryMax = 0;
  const sampler = setInterval(() => {
    memoryMax = Math.max(memoryMax, process.memoryUsage.rss());
  }, sampleMs);
  const cpuBefore = process.cpuUsage();
  void pipeline.run();
  await done.promise;
  const elapsedMs = performance.now() - startedMs;
  const cpu = process.cpuUsage(cpuBefore);
  clearInterval(sampler);
  const { unaccounted } = pipeline.status();
  await pipeline.stop(AbortSignal.timeout(5000));
  await sender.close();
  const sorted = durations.toSorted((a, b) => a - b);
  return {
    events,
    eventsPerSec: Math.round((events / elapsedMs) * 1000),
    batchP50Ms: Math.round(quantile(sorted, 0.5)),
    batchP99Ms: Math.round(quantile(sorted, 0.99)),
    cpuSecondsPerMillion: Math.round(((cpu.user + cpu.system) / events) * 10) / 10,
    memoryMaxMiB: Math.round(memoryMax / 2 ** 20),
    unaccounted,
  };
}
