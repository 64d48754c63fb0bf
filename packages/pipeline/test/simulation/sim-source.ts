import { deferred } from '@tidemark/kernel';
import {
  type AssignmentListener,
  type Position,
  partitionKey,
  type RecordBatch,
  type Source,
  type TopicPartition,
} from '@tidemark/pipeline';
import type { Chance } from './chance.ts';
import type { SimCluster, SimMember } from './sim-cluster.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How long a member may drain before the coordinator goes on without it, milliseconds. */
const drainMs = 3000;

/** A source over a simulated cluster: reads in pieces of any size, and commits that sometimes fail. */
export class SimSource implements Source, SimMember {
  reachable = true;
  readonly #cluster: SimCluster;
  readonly #clock: VirtualClock;
  readonly #chance: Chance;
  readonly #next = new Map<string, Position>();
  readonly #paused = new Set<string>();
  #died = deferred();
  #held: readonly TopicPartition[] = [];
  #assigning = new AbortController();
  #handovers: Promise<void> = Promise.resolve();
  #listener: AssignmentListener | undefined;
  #wake = deferred();
  #stopped = false;
  #dead = false;

  constructor(cluster: SimCluster, clock: VirtualClock, chance: Chance) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#chance = chance;
  }

  async *read(listener: AssignmentListener): AsyncGenerator<RecordBatch, void, undefined> {
    this.#listener = listener;
    const forget = this.#cluster.onAppend(() => this.#wake.resolve());
    this.#cluster.join(this);
    while (!this.#stopped) {
      this.#wake = deferred();
      const piece = this.#piece();
      if (!piece) {
        await this.#wake.promise;
        continue;
      }
      await this.#clock.sleep(this.#chance.between(0, 20));
      if (this.#dead) await new Promise(() => {});
      if (this.#next.get(partitionKey(piece.partition))?.nextOffset !== piece.from) continue;
      this.#next.set(partitionKey(piece.partition), { ...piece.partition, nextOffset: piece.next });
      yield piece;
    }
    forget();
  }

  pause(partition: TopicPartition): void {
    this.#paused.add(partitionKey(partition));
  }

  resume(partition: TopicPartition): void {
    this.#paused.delete(partitionKey(partition));
    this.#wake.resolve();
  }

  seek(position: Position): void {
    const { topic, partition } = position;
    if (this.#next.has(partitionKey(position))) {
      this.#next.set(partitionKey(position), { topic, partition, nextOffset: position.nextOffset });
    }
    this.#wake.resolve();
  }

  async commit(positions: readonly Position[]): Promise<void> {
    await this.#clock.sleep(this.#chance.between(0, 30));
    if (this.#dead) return new Promise(() => {});
    if (this.#chance.hits(0.05)) throw new Error('commit failed');
    this.#cluster.commit(this, positions);
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#handBack(deadline);
    this.#stopped = true;
    this.#cluster.leave(this);
    this.#wake.resolve();
  }

  /** kill -9: nothing answers any more; the coordinator notices after the session timeout. */
  die(): void {
    this.#dead = true;
    this.reachable = false;
    this.#died.resolve();
  }

  /** The coordinator hears from it again; it learns that it was expelled and joins anew. */
  async comeBack(): Promise<void> {
    if (this.#dead) return;
    this.reachable = true;
    await this.#handBack(this.#clock.timeout(drainMs));
    if (!this.#dead && !this.#stopped) this.#cluster.join(this);
  }

  giveBack(): Promise<void> {
    return Promise.race([this.#handBack(this.#clock.timeout(drainMs)), this.#died.promise]);
  }

  takeOver(partitions: readonly TopicPartition[]): void {
    if (this.#dead || this.#stopped) return;
    const assigning = new AbortController();
    this.#assigning = assigning;
    void this.#handOver(async listener => {
      if (assigning.signal.aborted) return;
      const positions = partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        nextOffset: this.#cluster.committed.get(partition) ?? 0n,
      }));
      this.#held = partitions;
      const starts = await listener.assigned(positions, assigning.signal);
      for (const [key, start] of assigning.signal.aborted ? [] : starts) {
        const position = positions.find(one => partitionKey(one) === key);
        if (position) this.#next.set(key, { ...position, nextOffset: start });
      }
      this.#wake.resolve();
    });
  }

  #handBack(deadline: AbortSignal): Promise<void> {
    this.#assigning.abort(new Error('rebalance'));
    return this.#handOver(async listener => {
      await listener.revoked(this.#held, deadline);
      this.#held = [];
      this.#next.clear();
      this.#paused.clear();
    });
  }

  #handOver(step: (listener: AssignmentListener) => Promise<void>): Promise<void> {
    const listener = this.#listener;
    if (!listener) return Promise.resolve();
    this.#handovers = this.#handovers.then(() => step(listener));
    return this.#handovers;
  }

  /** Some records of some partition that is ours and not paused. */
  #piece(): RecordBatch | undefined {
    const readable = [...this.#next.values()].filter(
      position =>
        !this.#paused.has(partitionKey(position)) &&
        Number(position.nextOffset) < (this.#cluster.logs[position.partition]?.length ?? 0),
    );
    if (readable.length === 0) return undefined;
    const { topic, partition, nextOffset: from } = this.#chance.pick(readable);
    const log = this.#cluster.logs[partition] ?? [];
    const records = log.slice(Number(from), Number(from) + this.#chance.between(1, 40));
    return { partition: { topic, partition }, from, next: from + BigInt(records.length), records };
  }
}
