/** An event on its way out. */
export interface OutgoingEvent {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** End of a partition: the offset that the next event will get. */
export interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  readonly endOffset: bigint;
}

/** What the api needs of a broker. */
export interface EventBroker {
  /**
   * Resolves when all in-sync replicas have the event. Rejects with 503 `BROKER_UNAVAILABLE` when that did not happen
   * in time; then the event may or may not be in the topic.
   */
  publish(event: OutgoingEvent): Promise<void>;
  /** Ends of all partitions of the topics; topics that do not exist are left out. */
  endOffsets(topics: readonly string[]): Promise<readonly PartitionEnd[]>;
  /** Resolves when a broker answers. */
  check(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
