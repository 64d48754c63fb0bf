/** What a pipeline may hold at most. Memory stays below `queueBytes` plus what is being delivered. */
export interface PipelineBounds {
  /** Deliveries at the same time, over all partitions: MAX_INFLIGHT. */
  readonly concurrency: number;
  /** Events in one delivery. */
  readonly batchItems: number;
  /** Bytes of records in one delivery; one larger record goes alone. */
  readonly batchBytes: number;
  /** Records queued for one partition before reading it pauses. */
  readonly queueItems: number;
  /** Bytes queued over all partitions before reading pauses. */
  readonly queueBytes: number;
}

export const defaultBounds: PipelineBounds = {
  concurrency: 64,
  batchItems: 1000,
  batchBytes: 4 * 1024 * 1024,
  queueItems: 2000,
  queueBytes: 64 * 1024 * 1024,
};
