/**
 * What a pipeline may hold at most, by count and by bytes. Memory stays below `queueBytes`, what is in flight included, plus
 * one response of each broker that was under way when reading paused.
 */
export interface PipelineBounds {
  /** Deliveries at the same time, over all partitions: MAX_INFLIGHT. Of one partition there is one at a time unless the order allows more. */
  readonly concurrency: number;
  /** Events in one delivery. */
  readonly batchItems: number;
  /** Bytes of records in one delivery; one larger record goes alone. */
  readonly batchBytes: number;
  /** Records queued for one partition before reading it pauses. */
  readonly queueItems: number;
  /** Bytes queued and in flight over all partitions before reading pauses; each partition has an equal share. */
  readonly queueBytes: number;
}

export const defaultBounds: PipelineBounds = {
  concurrency: 64,
  batchItems: 1000,
  batchBytes: 4 * 1024 * 1024,
  queueItems: 2000,
  queueBytes: 64 * 1024 * 1024,
};
