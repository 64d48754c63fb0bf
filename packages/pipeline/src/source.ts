import type { SourceRecord, TopicPartition } from './record.ts';

/** What one read of a partition gave: everything between two offsets, in log order. */
export interface RecordBatch {
  readonly partition: TopicPartition;
  /** The offset that was asked for. */
  readonly from: bigint;
  /** The offset to ask for next; beyond the last record's when the log has holes (compaction, transaction markers). */
  readonly next: bigint;
  readonly records: readonly SourceRecord[];
}

/** Every offset below `nextOffset` is accounted for. */
export interface Position extends TopicPartition {
  readonly nextOffset: bigint;
}

/**
 * What a pipeline does when the source's partitions change hands. The source awaits each call before it goes on, and
 * never makes two at a time.
 */
export interface AssignmentListener {
  /**
   * These partitions are ours now, with the position that the group committed, or the beginning of the log. Resolves
   * with the offset to read each from, by `partitionKey`; one that is missing is not read.
   */
  assigned(partitions: readonly Position[], signal: AbortSignal): Promise<ReadonlyMap<string, bigint>>;
  /**
   * These partitions go to somebody else. Resolves when work in flight is finished and committed, or abandoned whole
   * because the signal, the source's deadline, aborted.
   */
  revoked(partitions: readonly TopicPartition[], deadline: AbortSignal): Promise<void>;
  /**
   * The log does not have the offset that was asked for: it was deleted by retention, or the topic was made anew.
   * Reading goes on at `position.nextOffset`.
   */
  jumped(position: Position): Promise<void>;
}

/**
 * Where records come from. Pulled: nothing is read ahead of the iteration beyond one response for each broker, so a slow
 * sink slows the source. A broker that goes away is the source's business; it waits, reconnects and goes on.
 */
export interface Source {
  /** Joins and reads until `stop`. The iteration ends after `stop`, and throws only for what no retry can mend. */
  read(listener: AssignmentListener): AsyncIterable<RecordBatch>;
  /** Stops and starts reading single partitions; the membership goes on. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /** Reads the partition from another offset; what was read ahead of it is dropped. */
  seek(position: Position): void;
  /** Stores positions for the group. Rejects when it could not; positions of lost partitions are refused. */
  commit(positions: readonly Position[]): Promise<void>;
  /** Revokes what is assigned, leaves the group, ends the iteration. */
  stop(deadline: AbortSignal): Promise<void>;
}
