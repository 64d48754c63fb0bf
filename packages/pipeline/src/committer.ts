import type { Clock } from '@tidemark/kernel';
import { partitionKey, type TopicPartition } from './record.ts';
import type { Position } from './source.ts';

export interface CommitterOptions {
  readonly commit: (positions: readonly Position[]) => Promise<void>;
  readonly clock: Clock;
  /** Least time between two commits, milliseconds; positions in between are merged. */
  readonly intervalMs: number;
  readonly onFailure?: (error: unknown) => void;
}

/** Least time between a commit that failed and the next, milliseconds. */
const retryMs = 1000;

/**
 * Stores positions for the group: one commit at a time, the newest position of each partition only, tried again
 * until it succeeds. Nothing waits for it in normal work; a commit that is late only means that more is read again.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #dirty = new Map<string, Position>();
  readonly #owned = new Set<string>();
  readonly #stopped = new AbortController();
  #running = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** The partition is ours; its positions may be committed. */
  own(partition: TopicPartition): void {
    this.#owned.add(partitionKey(partition));
  }

  /** Every offset below `nextOffset` is done. Ignored for a partition that is not ours. */
  advance(partition: TopicPartition, nextOffset: bigint): void {
    const key = partitionKey(partition);
    if (this.#stopped.signal.aborted || !this.#owned.has(key)) return;
    const { topic, partition: number } = partition;
    this.#dirty.set(key, { topic, partition: number, nextOffset });
    if (!this.#running) void this.#run();
  }

  /** Commits what is outstanding of these partitions now; a failure is reported, not thrown. */
  async flush(partitions: readonly TopicPartition[]): Promise<void> {
    const positions = partitions.flatMap(partition => this.#take(partition) ?? []);
    await this.#commit(positions);
  }

  /** The partition is lost: a late position of it must not be committed over its new owner's. */
  forget(partition: TopicPartition): void {
    const key = partitionKey(partition);
    this.#owned.delete(key);
    this.#dirty.delete(key);
  }

  stop(): void {
    this.#stopped.abort();
    this.#owned.clear();
    this.#dirty.clear();
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    this.#running = true;
    while (this.#dirty.size > 0) {
      const positions = [...this.#dirty.values()];
      this.#dirty.clear();
      const stored = await this.#commit(positions);
      await clock.sleep(stored ? intervalMs : retryMs, this.#stopped.signal).catch(() => {});
    }
    this.#running = false;
  }

  async #commit(positions: readonly Position[]): Promise<boolean> {
    if (positions.length === 0) return true;
    try {
      await this.#options.commit(positions);
      return true;
    } catch (error) {
      this.#options.onFailure?.(error);
      this.#putBack(positions);
      return false;
    }
  }

  /** Keeps failed positions for the next round unless newer ones came or the partition went meanwhile. */
  #putBack(positions: readonly Position[]): void {
    for (const position of positions) {
      const key = partitionKey(position);
      if (this.#owned.has(key) && !this.#dirty.has(key)) this.#dirty.set(key, position);
    }
  }

  #take(partition: TopicPartition): Position | undefined {
    const key = partitionKey(partition);
    const position = this.#dirty.get(key);
    this.#dirty.delete(key);
    return position;
  }
}
