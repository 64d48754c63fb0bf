import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { Consumer, MessagesStreamModes } from '@platformatic/kafka';
import type { ReviewCreated } from '@tidemark/contracts';
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
import {
  type Decision,
  type Decoder,
  everythingNew,
  Pipeline,
  type Sink,
  type SourceRecord,
} from '@tidemark/pipeline';
import { quantile } from './report.ts';
import type { ReviewRow } from './sink-events.ts';

/**
 * Reads a topic to its end once, as a process of its own, so that its memory and its CPU are nobody else's. Told by one
 * argument of JSON; answers with a line of JSON.
 */
export interface ReaderTask {
  /** engine: reviews into the database; withSchema: the same of rows that carry their schema. decoding, bare: the engine with a sink that does nothing, with and without decoding. client: the client's own stream. */
  readonly mode: 'engine' | 'withSchema' | 'decoding' | 'bare' | 'client';
  readonly brokers: readonly string[];
  readonly topic: string;
  /** The reader ends after so many; null never does. */
  readonly events: number | null;
  readonly databaseUrl: string;
}

export interface ReaderResult {
  readonly eventsPerSec: number;
  /** From handing a batch to the sink to its acknowledgement. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of this process. */
  readonly cpuSecondsPerMillion: number;
  readonly memoryMaxMiB: number;
  readonly unaccounted: number;
}

const sampleMs = 100;
/** As the consumer has them. */
const databaseConnections = 4;
setFlagsFromString('--heap-growing-percent=100');

/** Time and CPU from the first record on. */
class Stopwatch {
  readonly durationsMs: number[] = [];
  #startedMs = 0;
  #cpu = process.cpuUsage();
  #memoryMax = 0;
  readonly #sampler = setInterval(() => {
    this.#memoryMax = Math.max(this.#memoryMax, process.memoryUsage.rss());
  }, sampleMs);

  start(): void {
    if (this.#startedMs > 0) return;
    this.#startedMs = performance.now();
    this.#cpu = process.cpuUsage();
  }

  stop(events: number): Omit<ReaderResult, 'unaccounted'> {
    const elapsedMs = performance.now() - this.#startedMs;
    const { user, system } = process.cpuUsage(this.#cpu);
    clearInterval(this.#sampler);
    const sorted = this.durationsMs.toSorted((a, b) => a - b);
    return {
      eventsPerSec: (events / elapsedMs) * 1000,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      cpuSecondsPerMillion: (user + system) / events,
      memoryMaxMiB: this.#memoryMax / 2 ** 20,
    };
  }
}

const task = JSON.parse(process.argv[2] ?? '') as ReaderTask;
const wanted = task.events ?? Infinity;
const result = task.mode === 'client' ? await readWithClient() : await readWithEngine();
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);

function readWithEngine(): Promise<ReaderResult> {
  if (task.mode === 'bare') return runPipeline<SourceRecord>(asItIs, nowhere());
  if (task.mode === 'decoding') return runPipeline(decodeReview, nowhere());
  const pool = createPool({
    databaseUrl: task.databaseUrl,
    applicationName: 'bench',
    connections: databaseConnections,
  });
  const decode = task.mode === 'withSchema' ? decodeRow : decodeReview;
  return runPipeline(decode, reviewsSink('bench', pool), () => probe(pool));
}

function asItIs(record: SourceRecord) {
  return { fate: 'deliver', event: record } as const;
}

/** The row out of its schema; the id of the review is the event's as well. */
function decodeRow(record: SourceRecord): Decision<ReviewCreated> {
  const { payload } = JSON.parse(String(record.value)) as { payload: ReviewRow };
  const { review_id, user_key, rating, text, created_at } = payload;
  const event_id = review_id.slice('r-'.length);
  const event = { event_id, key: user_key, ts: created_at, payload: { review_id, rating, text } };
  return { fate: 'deliver', event: { ...event, event_type: 'review_created', schema_version: 1 } };
}

function nowhere<E>(): Sink<E> {
  return {
    open: async position => position.nextOffset,
    deliver: async () => everythingNew,
    close: async () => {},
  };
}

async function runPipeline<E>(
  decode: Decoder<E>,
  sink: Sink<E>,
  askSink = async () => {},
): Promise<ReaderResult> {
  const connection = { brokers: task.brokers, clientId: 'bench' };
  const groupId = randomUUID();
  const watch = new Stopwatch();
  const done = deferred();
  let settled = 0;
  const pipeline = new Pipeline<E>({
    name: 'bench',
    source: new KafkaSource({
      ...connection,
      groupId,
      topics: [task.topic],
      clock: systemClock,
      random: Math.random,
    }),
    decode,
    sink,
    deadLetters: kafkaDeadLetters(createMessageSender(connection), groupId),
    probe: askSink,
    observer: {
      taken: () => watch.start(),
      persisted(batch, _receipt, durationMs) {
        watch.durationsMs.push(durationMs);
        settled += batch.items.length;
        if (settled >= wanted) done.resolve();
      },
    },
    clock: systemClock,
    random: Math.random,
  });
  void pipeline.run();
  await done.promise;
  const measured = watch.stop(wanted);
  return { ...measured, unaccounted: pipeline.status().unaccounted };
}

/** The client's own consumer with its defaults, counting messages. */
async function readWithClient(): Promise<ReaderResult> {
  const consumer = new Consumer({
    clientId: 'bench',
    bootstrapBrokers: [...task.brokers],
    groupId: randomUUID(),
  });
  const stream = await consumer.consume({ topics: [task.topic], mode: MessagesStreamModes.EARLIEST });
  const watch = new Stopwatch();
  const messages = stream[Symbol.asyncIterator]();
  let read = 0;
  while (read < wanted && !(await messages.next()).done) {
    watch.start();
    read += 1;
  }
  await messages.return?.();
  return { ...watch.stop(wanted), unaccounted: wanted - read };
}
