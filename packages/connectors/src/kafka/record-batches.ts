import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka';
import type { RecordHeader, SourceRecord, TopicPartition } from '@tidemark/pipeline';

/** Bit 5 of a batch's attributes: transaction markers, not data (Kafka protocol guide, "Record Batch"). */
const controlBit = 0b10_0000;
/** Bit 3: every record has the batch's maxTimestamp, set by the broker. */
const logAppendTimeBit = 0b1000;

/**
 * The data records of a fetched partition from `from` on, and the offset to fetch next. A broker answers with whole
 * batches, so the first ones may lie below; the last offset counts even when compaction removed its record.
 */
export function recordsFrom(
  { topic, partition }: TopicPartition,
  batches: readonly RecordsBatch[],
  from: bigint,
): { readonly records: SourceRecord[]; readonly next: bigint } {
  const records: SourceRecord[] = [];
  let next = from;
  for (const batch of batches) {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (end > next) next = end;
    if (batch.attributes & controlBit) continue;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      if (offset >= from) records.push(sourceRecord(topic, partition, offset, batch, record));
    }
  }
  return { records, next };
}

function sourceRecord(
  topic: string,
  partition: number,
  offset: bigint,
  batch: RecordsBatch,
  record: KafkaRecord,
): SourceRecord {
  const timestamp =
    batch.attributes & logAppendTimeBit ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta;
  return {
    topic,
    partition,
    offset,
    timestampMs: Number(timestamp),
    key: record.key,
    value: record.value,
    headers: record.headers.flatMap(([key, value]): RecordHeader[] => (key === null ? [] : [[key, value]])),
  };
}
