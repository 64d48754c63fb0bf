import { ConnectionPool } from '@platformatic/kafka';
import { type BackoffPolicy, backoffDelayMs, type Clock, TidemarkError } from '@tidemark/kernel';
import type { AssignmentListener, Position, RecordBatch, Source, TopicPartition } from '@tidemark/pipeline';
import { clientOptions, type KafkaConnection } from './client-options.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMember } from './group-member.ts';
import { type Reading, Readings } from './readings.ts';
import { ensureTopics } from './topics.ts';

export interface KafkaSourceOptions extends KafkaConnection {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** 6 s unless given, Kafka's least: what a consumer that was killed costs before its partitions move on. */
  readonly sessionTimeoutMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Something failed and is being tried again. */
  readonly onFailure?: (what: string, error: unknown) => void;
  /** The log did not have the offset asked for; what lies between is lost to retention, or the topic is a new one. */
  readonly onJump?: (partition: TopicPartition, from: bigint, to: bigint) => void;
}

const defaultSessionTimeoutMs = 6000;
const positionsBackoff: BackoffPolicy = { baseMs: 200, capMs: 5000 };

/** Reads topics as a member of a consumer group and hands partitions over without anybody working on them twice. */
export class KafkaSource implements Source {
  readonly #options: KafkaSourceOptions;
  readonly #sessionTimeoutMs: number;
  readonly #readings = new Readings();
  readonly #stopped = new AbortController();
  #member: GroupMember | undefined;
  #fetcher: Fetcher | undefined;
  #listener: AssignmentListener | undefined;
  /** What the listener was told to be ours. */
  #held: readonly TopicPartition[] = [];
  /** Aborts the assignment in progress when the next rebalance overtakes it. */
  #assigning = new AbortController();
  /** Calls of the listener, one after the other. */
  #handovers: Promise<void> = Promise.resolve();

  constructor(options: KafkaSourceOptions) {
    this.#options = options;
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs;
  }

  /** True while the group counts us as a member. */
  get isMember(): boolean {
    return this.#member?.consumer.isActive() ?? false;
  }

  async *read(listener: AssignmentListener): AsyncGenerator<RecordBatch, void, undefined> {
    if (this.#listener) throw new TidemarkError('SOURCE_READ_TWICE', 'a source is read by one pipeline only');
    this.#listener = listener;
    await this.#untilTopicsExist();
    if (this.#stopped.signal.aborted) return;
    const member = this.#createMember();
    this.#member = member;
    this.#fetcher = this.#createFetcher(member);
    void member.join();
    yield* this.#fetcher.read();
  }

  pause(partition: TopicPartition): void {
    const reading = this.#readings.get(partition);
    if (reading) reading.paused = true;
  }

  resume(partition: TopicPartition): void {
    const reading = this.#readings.get(partition);
    if (reading) reading.paused = false;
    this.#fetcher?.wake();
  }

  seek(position: Position): void {
    this.#readings.seek(position);
    this.#fetcher?.wake();
  }

  async commit(positions: readonly Position[]): Promise<void> {
    const ours = positions.filter(position => this.#readings.get(position) !== undefined);
    if (ours.length === 0) return;
    if (!this.#member) throw new TidemarkError('SOURCE_NOT_READ', 'the source has not joined its group yet');
    await this.#member.commit(ours);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#giveBack(deadline);
    this.#stopped.abort();
    await this.#fetcher?.stop();
    await this.#member?.leave().catch((error: unknown) => this.#failed('leave the group', error));
  }

  #createMember(): GroupMember {
    return new GroupMember({
      ...this.#options,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      onJoined: partitions => void this.#takeOver(partitions),
      onRejoining: () => this.#giveBack(AbortSignal.timeout(this.#sessionTimeoutMs / 2)),
      onFailure: error => this.#failed('stay in the group', error),
    });
  }

  #createFetcher(member: GroupMember): Fetcher {
    const { clock, random, clientId } = this.#options;
    return new Fetcher({
      consumer: member.consumer,
      readings: this.#readings,
      // A fetch waits at the broker, which answers one connection's requests in order: heartbeats go elsewhere.
      pool: new ConnectionPool(`${clientId}-fetch`, clientOptions(this.#options)),
      clock,
      random,
      onOutOfRange: readings => this.#lost(member, readings),
      onFailure: error => this.#failed('fetch', error),
    });
  }

  async #untilTopicsExist(): Promise<void> {
    await this.#persist('create the topics', this.#stopped.signal, () =>
      ensureTopics(this.#options, this.#options.topics),
    );
  }

  /** Takes the partitions of a new generation over. */
  async #takeOver(partitions: readonly TopicPartition[]): Promise<void> {
    const assigning = new AbortController();
    this.#assigning = assigning;
    const { signal } = assigning;
    await this.#handOver(async listener => {
      const member = this.#member;
      if (!member || signal.aborted) return;
      const positions = await this.#persist('look up the committed offsets', signal, () =>
        member.positions(partitions),
      );
      if (!positions) return;
      const starts = await listener.assigned(positions, signal);
      if (signal.aborted) return;
      for (const { topic, partition } of partitions) {
        const start = starts.get(`${topic}:${partition}`);
        if (start !== undefined) this.#readings.add({ topic, partition }, start);
      }
      this.#held = partitions;
    });
    this.#fetcher?.wake();
  }

  async #giveBack(deadline: AbortSignal): Promise<void> {
    this.#assigning.abort();
    await this.#handOver(async listener => {
      if (this.#held.length > 0) await listener.revoked(this.#held, deadline);
      this.#held = [];
      this.#readings.clear();
    });
  }

  #lost(member: GroupMember, readings: readonly Reading[]): void {
    for (const reading of readings) reading.lost = true;
    void this.#handOver(async listener => {
      for (const reading of readings) await this.#jump(member, listener, reading);
    });
  }

  /** Goes on at the beginning of the log: what retention removed is gone, what a new topic holds is all new. */
  async #jump(member: GroupMember, listener: AssignmentListener, reading: Reading): Promise<void> {
    const { topic, partition } = reading.partition;
    const earliest = await this.#persist('look up the beginning of the log', this.#assigning.signal, () =>
      member.consumer.listOffsets({ topics: [topic], timestamp: -2n }),
    );
    const nextOffset = earliest?.get(topic)?.[partition];
    if (nextOffset === undefined || this.#readings.get(reading.partition) !== reading) return;
    this.#options.onJump?.(reading.partition, reading.next, nextOffset);
    await listener.jumped({ topic, partition, nextOffset });
    this.seek({ topic, partition, nextOffset });
  }

  #handOver(step: (listener: AssignmentListener) => Promise<void>): Promise<void> {
    const listener = this.#listener;
    if (!listener) return Promise.resolve();
    const done = this.#handovers.then(() => step(listener));
    this.#handovers = done.catch((error: unknown) => this.#failed('hand partitions over', error));
    return this.#handovers;
  }

  /** Tries until it succeeds; undefined when the signal aborted first. */
  async #persist<T>(what: string, signal: AbortSignal, attemptIt: () => Promise<T>): Promise<T | undefined> {
    const { clock, random } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        return await attemptIt();
      } catch (error) {
        if (signal.aborted) break;
        this.#failed(what, error);
        await clock.sleep(backoffDelayMs(positionsBackoff, attempt, random), signal).catch(() => {});
      }
    }
    return undefined;
  }

  #failed(what: string, error: unknown): void {
    this.#options.onFailure?.(what, error);
  }
}
