import { type ClusterMetadata, ConnectionPool, type Consumer, findErrorBy } from '@platformatic/kafka';
import { type BackoffPolicy, BoundedQueue, backoffDelayMs, type Clock, deferred } from '@tidemark/kernel';
import { partitionKey, type RecordBatch, recordBytes } from '@tidemark/pipeline';
import type { Reading, Readings } from './readings.ts';
import { recordsFrom } from './record-batches.ts';

export interface FetcherOptions {
  readonly consumer: Consumer;
  readonly readings: Readings;
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  readonly random: () => number;
  /** The log does not have the offset that these readings ask for. */
  readonly onOutOfRange: (readings: readonly Reading[]) => void;
  readonly onFailure: (error: unknown) => void;
}

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

/**
 * Bytes of one response, and of one partition in it: at 300 bytes a record some 3500 records a request. Larger ones are no
 * faster and cost memory, because a record that waits for its turn keeps the whole response it came with.
 */
const responseBytesMax = 1024 * 1024;
const partitionBytesMax = 128 * 1024;
/** How long the broker may hold a fetch back when there is nothing new. */
const idleWaitMs = 1000;
/** The same while a partition is paused: it must be picked up soon after it resumes. */
const pausedWaitMs = 50;
const failureBackoff: BackoffPolicy = { baseMs: 100, capMs: 2000 };

/**
 * Fetches what is wanted, with one request in flight for each broker that leads something of ours. A response waits
 * until the one before was taken, which is what bounds the memory and slows the reading down to the sink.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #stopped = new AbortController();
  readonly #loops = new Map<number, Promise<void>>();
  readonly #batches = new BoundedQueue<RecordBatch>({ maxItems: 64, maxBytes: responseBytesMax }, batch =>
    batch.records.reduce((bytes, record) => bytes + recordBytes(record), 0),
  );
  #changed = deferred();

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Yields what was read until `stop`. */
  async *read(): AsyncGenerator<RecordBatch, void, undefined> {
    void this.#supervise();
    yield* this.#batches;
  }

  /** Something is wanted that was not before. */
  wake(): void {
    this.#changed.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.wake();
    this.#batches.close();
    await this.#options.pool.close();
    await Promise.all(this.#loops.values());
  }

  /** Keeps a loop running for every broker that leads a wanted partition. */
  async #supervise(): Promise<void> {
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      this.#changed = deferred();
      try {
        for (const node of (await this.#wantedByNode()).keys()) this.#ensureLoop(node);
        failures = 0;
        await this.#changed.promise;
      } catch (error) {
        await this.#failed(error, failures++);
      }
    }
  }

  #ensureLoop(node: number): void {
    if (this.#loops.has(node)) return;
    const loop = this.#runLoop(node).finally(() => {
      this.#loops.delete(node);
      this.wake();
    });
    this.#loops.set(node, loop);
  }

  async #runLoop(node: number): Promise<void> {
    for (let failures = 0; !this.#stopped.signal.aborted; ) {
      try {
        const { metadata, readings } = await this.#wantedFrom(node);
        if (readings.length === 0) return;
        await this.#fetch(node, metadata, readings);
        failures = 0;
      } catch (error) {
        await this.#failed(error, failures++);
      }
    }
  }

  async #wantedByNode(): Promise<Map<number, Reading[]>> {
    const wanted = this.#options.readings.wanted();
    if (wanted.length === 0) return new Map();
    const metadata = await this.#metadata();
    return Map.groupBy(wanted, reading => leaderOf(metadata, reading));
  }

  async #wantedFrom(node: number): Promise<{ metadata: ClusterMetadata; readings: Reading[] }> {
    const metadata = await this.#metadata();
    const wanted = this.#options.readings.wanted();
    return { metadata, readings: wanted.filter(reading => leaderOf(metadata, reading) === node) };
  }

  #metadata(): Promise<ClusterMetadata> {
    const { consumer } = this.#options;
    return consumer.metadata({ topics: [...consumer.topics.current] });
  }

  async #fetch(node: number, metadata: ClusterMetadata, readings: readonly Reading[]): Promise<void> {
    const { consumer, pool, readings: all } = this.#options;
    const asked = new Map(
      readings.map(reading => [partitionKey(reading.partition), { reading, from: reading.next }]),
    );
    const response = await consumer.fetch({
      node,
      connectionPool: pool,
      minBytes: 1,
      maxBytes: responseBytesMax,
      maxWaitTime: all.anyPaused ? pausedWaitMs : idleWaitMs,
      topics: fetchTopics(metadata, readings),
    });
    for (const [key, batches] of fetchedPartitions(metadata, response)) {
      const { reading, from } = asked.get(key) ?? {};
      if (reading === undefined || from === undefined || !all.isCurrent(reading, from)) continue;
      const { records, next } = recordsFrom(reading.partition, batches, from);
      if (next === from) continue;
      reading.next = next;
      await this.#batches.push({ partition: reading.partition, from, next, records });
    }
  }

  async #failed(reason: unknown, failures: number): Promise<void> {
    const { clock, random, consumer } = this.#options;
    if (this.#stopped.signal.aborted) return;
    if (reason instanceof Error && findErrorBy(reason, 'apiId', 'OFFSET_OUT_OF_RANGE')) {
      await this.#reportOutOfRange(reason);
      return;
    }
    this.#options.onFailure(reason);
    consumer.clearMetadata();
    const delayMs = backoffDelayMs(failureBackoff, failures, random);
    await clock.sleep(delayMs, this.#stopped.signal).catch(() => {});
  }

  async #reportOutOfRange(error: Error & { response?: unknown }): Promise<void> {
    const failed = findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE');
    const response = (error.response ?? failed?.['response']) as FetchResponse | undefined;
    const metadata = await this.#metadata();
    const readings = this.#options.readings.wanted();
    const lost = outOfRange(metadata, response);
    const affected = readings.filter(reading => lost.has(partitionKey(reading.partition)));
    this.#options.onOutOfRange(affected.length > 0 ? affected : readings);
  }
}

function leaderOf(metadata: ClusterMetadata, { partition }: Reading): number {
  const found = metadata.topics.get(partition.topic)?.partitions[partition.partition];
  if (!found || found.leader < 0) throw new Error(`${partitionKey(partition)} has no leader now`);
  return found.leader;
}

function fetchTopics(metadata: ClusterMetadata, readings: readonly Reading[]) {
  const byTopic = Map.groupBy(readings, reading => reading.partition.topic);
  return [...byTopic].map(([topic, members]) => ({
    topicId: metadata.topics.get(topic)?.id ?? topic,
    partitions: members.map(reading => ({
      partition: reading.partition.partition,
      fetchOffset: reading.next,
      partitionMaxBytes: partitionBytesMax,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    })),
  }));
}

function* fetchedPartitions(metadata: ClusterMetadata, response: FetchResponse) {
  const names = new Map([...metadata.topics].map(([name, { id }]) => [id, name]));
  for (const { topicId, partitions } of response.responses) {
    const topic = names.get(topicId);
    if (topic === undefined) continue;
    for (const { partitionIndex, records } of partitions) {
      if (records) yield [partitionKey({ topic, partition: partitionIndex }), records] as const;
    }
  }
}

/** Kafka protocol guide, "Error codes": OFFSET_OUT_OF_RANGE. */
const offsetOutOfRange = 1;

function outOfRange(metadata: ClusterMetadata, response: FetchResponse | undefined): Set<string> {
  const names = new Map([...metadata.topics].map(([name, { id }]) => [id, name]));
  const keys = (response?.responses ?? []).flatMap(({ topicId, partitions }) =>
    partitions
      .filter(({ errorCode }) => errorCode === offsetOutOfRange)
      .map(({ partitionIndex }) =>
        partitionKey({ topic: names.get(topicId) ?? '', partition: partitionIndex }),
      ),
  );
  return new Set(keys);
}
