import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  type BatchHeader,
  compression,
  compressionOf,
  isControl,
  isIntactBatch,
  readBatchHeader,
} from '../storage/record-batch.ts';
import { decodeRecords } from '../storage/records.ts';
import { InvalidRecordsError, ProtocolError } from '../wire/error-codes.ts';
import type { TopicSettings } from './topic-config.ts';

export interface BatchRules {
  readonly settings: TopicSettings;
  /** The request's version allows zstd (Produce 7). */
  readonly zstdAllowed: boolean;
}

/** The checks that Kafka's LogValidator makes on a batch, except those that need the records. */
export function checkBatch(records: Buffer, { settings, zstdAllowed }: BatchRules): BatchHeader {
  if (records.length < BATCH_HEADER_BYTES) throw new ProtocolError('corruptMessage', 'not a record batch');
  const header = readBatchHeader(records);
  if (header.magic !== 2)
    throw new ProtocolError('unsupportedForMessageFormat', 'only record batches of magic 2');
  if (header.size < records.length && header.size >= BATCH_OVERHEAD_BYTES) {
    throw new ProtocolError('invalidRecord', 'exactly one record batch per partition is allowed');
  }
  if (records.length > settings.messageBytesMax) throw new ProtocolError('messageTooLarge');
  if (!isIntactBatch(records))
    throw new ProtocolError('corruptMessage', 'the checksum of the batch is wrong');
  checkHeader(header);
  if (compressionOf(header.attributes) === compression.zstd && !zstdAllowed) {
    throw new ProtocolError('unsupportedCompressionType');
  }
  return header;
}

function checkHeader(header: BatchHeader): void {
  const count = header.lastOffset - header.baseOffset + 1;
  if (header.baseOffset !== 0) throw new ProtocolError('invalidRecord', 'the base offset must be 0');
  if (header.recordCount <= 0 || header.recordCount !== count) {
    throw new ProtocolError('invalidRecord', `${header.recordCount} records in ${count} offsets`);
  }
  if (isControl(header.attributes))
    throw new ProtocolError('invalidRecord', 'clients may not write control batches');
  if (header.producerId >= 0 && header.baseSequence < 0) {
    throw new ProtocolError('invalidRecord', 'an idempotent batch needs a sequence number');
  }
  if (compressionOf(header.attributes) > compression.zstd)
    throw new ProtocolError('unsupportedCompressionType');
}

/** Compaction keeps the last record of each key; a record without one has no place in a compacted topic. */
export async function checkKeys(batch: Buffer): Promise<void> {
  const records = await decodeRecords(batch);
  const keyless = records.flatMap((record, index) => (record.key === null ? [index] : []));
  if (keyless.length > 0)
    throw new InvalidRecordsError(keyless, 'a compacted topic takes only records with a key');
}
