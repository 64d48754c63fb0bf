/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A text that identifies a partition, for map keys and messages. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** A record as the log keeps it: bytes, not yet understood. */
export interface SourceRecord extends TopicPartition {
  readonly offset: bigint;
  /** Milliseconds since the Unix epoch, given by the producer or the broker. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

export type RecordHeader = readonly [key: Buffer, value: Buffer | null];

/** What a record costs in memory beside its bytes: objects, references, queue slots. Measured, rounded up. */
const recordOverheadBytes = 256;

/** Memory that a queued record is charged with. */
export function recordBytes(record: SourceRecord): number {
  let bytes = recordOverheadBytes + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const [key, value] of record.headers) bytes += key.length + (value?.length ?? 0);
  return bytes;
}

/** The value of the last header of that name as text, or undefined. Kafka allows a name more than once; the last wins. */
export function headerText(record: Pick<SourceRecord, 'headers'>, name: string): string | undefined {
  for (const [key, value] of record.headers.toReversed()) {
    if (value !== null && key.toString() === name) return value.toString();
  }
  return undefined;
}
