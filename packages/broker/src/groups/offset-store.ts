/** A committed offset with what the client stored beside it. */
export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Wall clock, milliseconds. */
  readonly committedAtMs: number;
}

/** One row of a commit. */
export interface OffsetRow extends CommittedOffset {
  readonly topic: string;
  readonly partition: number;
}

type Partitions = Map<number, CommittedOffset>;

/** Committed offsets of one group, and those that wait for the outcome of a transaction (KIP-98). */
export class OffsetStore {
  readonly #topics = new Map<string, Partitions>();
  readonly #pending = new Map<number, OffsetRow[]>();

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#pending.size === 0;
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition);
  }

  /** Everything that is committed, as rows. */
  rows(): OffsetRow[] {
    return [...this.#topics].flatMap(([topic, partitions]) =>
      [...partitions].map(([partition, committed]) => ({ topic, partition, ...committed })),
    );
  }

  /** Topics with offsets that are committed or wait for the outcome of a transaction. */
  topics(): readonly string[] {
    return [...this.#topics.keys(), ...[...this.#pending.values()].flat().map(({ topic }) => topic)];
  }

  /** Later rows win; an older commit that is replayed does no harm because the order is the journal's. */
  commit(rows: readonly OffsetRow[]): void {
    for (const { topic, partition, ...committed } of rows) {
      const partitions = this.#topics.get(topic) ?? new Map<number, CommittedOffset>();
      partitions.set(partition, committed);
      this.#topics.set(topic, partitions);
    }
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic);
    partitions?.delete(partition);
    if (partitions?.size === 0) this.#topics.delete(topic);
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic);
    for (const [producerId, rows] of this.#pending) {
      this.#pending.set(
        producerId,
        rows.filter(row => row.topic !== topic),
      );
    }
  }

  /** Offsets that a transaction brings with it; they count when it commits. */
  stage(producerId: number, rows: readonly OffsetRow[]): void {
    this.#pending.set(producerId, [...(this.#pending.get(producerId) ?? []), ...rows]);
  }

  /** The staged rows of a transaction, which are forgotten here. */
  takeStaged(producerId: number): readonly OffsetRow[] {
    const rows = this.#pending.get(producerId) ?? [];
    this.#pending.delete(producerId);
    return rows;
  }

  staged(): ReadonlyMap<number, readonly OffsetRow[]> {
    return this.#pending;
  }

  /** True while a transaction could still change the offset (UNSTABLE_OFFSET_COMMIT, KIP-447). */
  isUnstable(topic: string, partition: number): boolean {
    for (const rows of this.#pending.values()) {
      if (rows.some(row => row.topic === topic && row.partition === partition)) return true;
    }
    return false;
  }
}
