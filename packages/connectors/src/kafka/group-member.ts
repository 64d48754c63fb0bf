import { Consumer, type GroupAssignment, type GroupOptions } from '@platformatic/kafka';
import { type BackoffPolicy, backoffDelayMs, type Clock } from '@tidemark/kernel';
import type { Position, TopicPartition } from '@tidemark/pipeline';
import { clientOptions, type KafkaConnection } from './client-options.ts';

export interface GroupMemberOptions extends KafkaConnection {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** The broker gives the partitions away when it has not heard from us for this long, milliseconds. */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** We are a member of this generation, with these partitions. */
  readonly onJoined: (partitions: readonly TopicPartition[]) => void;
  /** The group rebalances: everything is given back. The member joins again once this resolves. */
  readonly onRejoining: () => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}

const rejoinBackoff: BackoffPolicy = { baseMs: 200, capMs: 5000 };

/**
 * Membership of a consumer group with the classic protocol: join, heartbeats, rejoin. The library asks for the
 * subscription's user data immediately before each JoinGroup and waits for it; that is where work in flight is
 * drained, so partitions are handed over only when nobody works on them. Heartbeats rest meanwhile, so the drain has to
 * end well within the session timeout.
 */
export class GroupMember {
  readonly consumer: Consumer;
  readonly #options: GroupMemberOptions;
  readonly #stopped = new AbortController();
  #rejoining = false;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.consumer = new Consumer({
      ...clientOptions(options),
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: options.sessionTimeoutMs * 2,
      heartbeatInterval: Math.round(options.sessionTimeoutMs / 5),
    });
    for (const topic of options.topics) this.consumer.topics.track(topic);
    this.consumer.on('consumer:group:join', ({ assignments }) =>
      options.onJoined(partitionsOf(assignments ?? [])),
    );
    this.consumer.on('consumer:heartbeat:error', ({ error }) => options.onFailure(error));
    // The library reports a rejoin that failed as a plain error, and stops its heartbeats.
    this.consumer.on('error', error => void this.#joinAgain(error));
  }

  /** Joins, however long it takes; returns early only when stopped. */
  async join(): Promise<void> {
    const { clock, random, onFailure } = this.#options;
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt += 1) {
      try {
        await this.consumer.joinGroup(this.#joinOptions());
        return;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        onFailure(error);
        this.consumer.clearMetadata();
        await clock
          .sleep(backoffDelayMs(rejoinBackoff, attempt, random), this.#stopped.signal)
          .catch(() => {});
      }
    }
  }

  /** Where the group stands in each partition; the beginning of the log where it never committed. */
  async positions(partitions: readonly TopicPartition[]): Promise<Position[]> {
    const topics = groupByTopic(partitions);
    const committed = await this.consumer.listCommittedOffsets({ topics });
    const earliest = await this.consumer.listOffsets({
      topics: topics.map(({ topic }) => topic),
      timestamp: -2n,
    });
    return partitions.map(({ topic, partition }) => {
      const stored = committed.get(topic)?.[partition] ?? -1n;
      return {
        topic,
        partition,
        nextOffset: stored >= 0n ? stored : (earliest.get(topic)?.[partition] ?? 0n),
      };
    });
  }

  /** Stores positions under the current generation. A member that was expelled is refused by the broker. */
  async commit(positions: readonly Position[]): Promise<void> {
    if (this.consumer.memberId === null) throw new Error('not a member of the group now');
    await this.consumer.commit({
      offsets: positions.map(({ topic, partition, nextOffset }) => ({
        topic,
        partition,
        offset: nextOffset,
        leaderEpoch: -1,
      })),
    });
  }

  /** Leaves the group and closes the connections. */
  async leave(): Promise<void> {
    this.#stopped.abort();
    await this.consumer.close(true);
  }

  #joinOptions(): GroupOptions {
    return {
      protocolsMetadata: async () => {
        await this.#options.onRejoining();
        return Buffer.alloc(0);
      },
    };
  }

  async #joinAgain(error: Error): Promise<void> {
    if (this.#rejoining || this.#stopped.signal.aborted) return;
    this.#rejoining = true;
    this.#options.onFailure(error);
    await this.join();
    this.#rejoining = false;
  }
}

function partitionsOf(assignments: readonly GroupAssignment[]): TopicPartition[] {
  return assignments.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })));
}

function groupByTopic(partitions: readonly TopicPartition[]): GroupAssignment[] {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  return [...byTopic].map(([topic, members]) => ({
    topic,
    partitions: members.map(member => member.partition),
  }));
}
