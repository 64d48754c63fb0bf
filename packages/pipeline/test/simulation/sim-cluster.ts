import type { Position, SourceRecord, TopicPartition } from '@tidemark/pipeline';
import { encodeSimEvent, type SimEvent, type SimReplay, simTopic } from './sim-event.ts';

/** What the group's coordinator asks of a member. */
export interface SimMember {
  /** False while the coordinator does not hear from it; it is expelled then, and does not know. */
  readonly reachable: boolean;
  giveBack(): Promise<void>;
  takeOver(partitions: readonly TopicPartition[]): void;
}

/** A log with partitions, and one consumer group over it. */
export class SimCluster {
  readonly logs: SourceRecord[][];
  readonly committed = new Map<number, bigint>();
  readonly #members = new Set<SimMember>();
  readonly #onAppend = new Set<() => void>();
  readonly #beforeCommit: (position: Position) => void;
  #generation = 0;
  #current = new Map<SimMember, number>();
  #rebalancing = false;
  #again = false;

  constructor(partitions: number, beforeCommit: (position: Position) => void) {
    this.logs = Array.from({ length: partitions }, () => []);
    this.#beforeCommit = beforeCommit;
  }

  append(event: SimEvent, replay?: SimReplay): void {
    const partition = Buffer.from(event.key).reduce((sum, byte) => sum + byte, 0) % this.logs.length;
    const log = this.logs[partition] ?? [];
    log.push(encodeSimEvent(event, partition, BigInt(log.length), replay));
    for (const wake of this.#onAppend) wake();
  }

  /** Calls `wake` at every append; returns what ends that. */
  onAppend(wake: () => void): () => void {
    this.#onAppend.add(wake);
    return () => this.#onAppend.delete(wake);
  }

  join(member: SimMember): void {
    this.#members.add(member);
    this.rebalance();
  }

  leave(member: SimMember): void {
    if (this.#members.delete(member)) this.rebalance();
  }

  isCurrent(member: SimMember): boolean {
    return this.#current.get(member) === this.#generation;
  }

  /** Stores positions for a member of the current generation; others are refused, as a broker does. */
  commit(member: SimMember, positions: readonly Position[]): void {
    if (!this.isCurrent(member) || !member.reachable) throw new Error('ILLEGAL_GENERATION');
    for (const position of positions) {
      this.#beforeCommit(position);
      this.committed.set(position.partition, position.nextOffset);
    }
  }

  /** Starts a rebalance, or another one after the one that runs. */
  rebalance(): void {
    this.#again = true;
    if (!this.#rebalancing) void this.#rebalance();
  }

  async #rebalance(): Promise<void> {
    this.#rebalancing = true;
    while (this.#again) {
      this.#again = false;
      await Promise.all(
        [...this.#members].filter(member => member.reachable).map(member => member.giveBack()),
      );
      const members = [...this.#members].filter(member => member.reachable);
      this.#generation += 1;
      this.#current = new Map(members.map(member => [member, this.#generation]));
      for (const [index, member] of members.entries()) {
        member.takeOver(this.#share(index, members.length));
      }
    }
    this.#rebalancing = false;
  }

  #share(index: number, members: number): TopicPartition[] {
    return this.logs
      .map((_, partition) => ({ topic: simTopic, partition }))
      .filter(({ partition }) => (partition + this.#generation) % members === index);
  }
}
