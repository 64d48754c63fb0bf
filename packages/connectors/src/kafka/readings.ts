import { type Position, partitionKey, type TopicPartition } from '@tidemark/pipeline';

/** How far a partition of ours has been read. */
export interface Reading {
  readonly partition: TopicPartition;
  /** The offset to ask for next. */
  next: bigint;
  paused: boolean;
  /** The log does not have `next`; a new offset is being agreed on. */
  lost: boolean;
}

/** The partitions that are ours, and where each is read next. */
export class Readings {
  readonly #readings = new Map<string, Reading>();

  get partitions(): TopicPartition[] {
    return [...this.#readings.values()].map(reading => reading.partition);
  }

  get(partition: TopicPartition): Reading | undefined {
    return this.#readings.get(partitionKey(partition));
  }

  add(partition: TopicPartition, next: bigint): void {
    this.#readings.set(partitionKey(partition), { partition, next, paused: false, lost: false });
  }

  clear(): void {
    this.#readings.clear();
  }

  seek({ topic, partition, nextOffset }: Position): void {
    const reading = this.get({ topic, partition });
    if (!reading) return;
    reading.next = nextOffset;
    reading.lost = false;
  }

  get anyPaused(): boolean {
    return this.#readings.values().some(reading => reading.paused);
  }

  /** What is to be fetched now. */
  wanted(): Reading[] {
    return this.#readings
      .values()
      .filter(reading => !reading.paused && !reading.lost)
      .toArray();
  }

  /** True when `reading` is still the one in force, and stands where it stood when the fetch was sent. */
  isCurrent(reading: Reading, from: bigint): boolean {
    return this.get(reading.partition) === reading && reading.next === from;
  }
}
