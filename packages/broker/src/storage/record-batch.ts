import { crc32c } from '@node-rs/crc32';

/**
 * Record batch, magic 2 (Kafka documentation, "Message Format"). Everything the log needs is in the first 61 bytes;
 * the records behind them are opaque and stay compressed.
 *
 *   base_offset i64 @0, batch_length i32 @8 (bytes after it), leader_epoch i32 @12, magic i8 @16, crc u32 @17
 *   (CRC-32C of everything from @21), attributes i16 @21, last_offset_delta i32 @23, base_timestamp i64 @27,
 *   max_timestamp i64 @35, producer_id i64 @43, producer_epoch i16 @51, base_sequence i32 @53, record_count i32 @57
 */
export const BATCH_HEADER_BYTES = 61;
/** Bytes in front of what `batch_length` counts. */
export const BATCH_OVERHEAD_BYTES = 12;

const MAGIC = 2;
const CRC_FROM = 21;

const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** Set by compaction: base_timestamp then holds the time after which tombstones may go (KIP-534). */
export const DELETE_HORIZON = 0x40;

/** Compression codecs as they are numbered in the attributes. */
export const compression = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/** The header of one batch as numbers. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Bytes of the whole batch. */
  readonly size: number;
  readonly leaderEpoch: number;
  readonly magic: number;
  readonly attributes: number;
  readonly lastOffset: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

export const compressionOf = (attributes: number): number => attributes & COMPRESSION_MASK;
export const isTransactional = (attributes: number): boolean => (attributes & TRANSACTIONAL) !== 0;
export const isControl = (attributes: number): boolean => (attributes & CONTROL) !== 0;
/** The records' times are then relative to another base, and `base_timestamp` is when tombstones may go. */
export const hasDeleteHorizon = (attributes: number): boolean => (attributes & DELETE_HORIZON) !== 0;
export const isLogAppendTime = (attributes: number): boolean => (attributes & LOG_APPEND_TIME) !== 0;

function int64At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 4294967296 + buffer.readUInt32BE(at + 4);
}

/** Size of the batch at `at` as its header says, without looking further. Needs 12 bytes. */
export function batchSizeAt(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + 8) + BATCH_OVERHEAD_BYTES;
}

export function baseOffsetAt(buffer: Buffer, at: number): number {
  return int64At(buffer, at);
}

export function lastOffsetAt(buffer: Buffer, at: number): number {
  return int64At(buffer, at) + buffer.readInt32BE(at + 23);
}

/** Reads the 61 header bytes at `at`; the caller has checked that they are there. */
export function readBatchHeader(buffer: Buffer, at = 0): BatchHeader {
  const baseOffset = int64At(buffer, at);
  return {
    baseOffset,
    size: batchSizeAt(buffer, at),
    leaderEpoch: buffer.readInt32BE(at + 12),
    magic: buffer.readInt8(at + 16),
    attributes: buffer.readInt16BE(at + 21),
    lastOffset: baseOffset + buffer.readInt32BE(at + 23),
    baseTimestamp: int64At(buffer, at + 27),
    maxTimestamp: int64At(buffer, at + 35),
    producerId: int64At(buffer, at + 43),
    producerEpoch: buffer.readInt16BE(at + 51),
    baseSequence: buffer.readInt32BE(at + 53),
    recordCount: buffer.readInt32BE(at + 57),
  };
}

/** True when the buffer is one whole batch whose checksum is right. */
export function isIntactBatch(batch: Buffer): boolean {
  return (
    batch.length >= BATCH_HEADER_BYTES &&
    batch.readInt8(16) === MAGIC &&
    batchSizeAt(batch, 0) === batch.length &&
    crc32c(batch.subarray(CRC_FROM)) === batch.readUInt32BE(17)
  );
}

/** Puts the batch into its place in the log. Both fields lie outside the checksum, so nothing else changes. */
export function stampBatch(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  writeInt64(batch, baseOffset, 0);
  batch.writeInt32BE(leaderEpoch, 12);
}

/** Marks the batch with the broker's time (`message.timestamp.type=LogAppendTime`), which changes the checksum. */
export function stampAppendTime(batch: Buffer, nowMs: number): void {
  batch.writeInt16BE(batch.readInt16BE(21) | LOG_APPEND_TIME, 21);
  writeInt64(batch, nowMs, 35);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), 17);
}

/** Fields of a batch that this broker makes itself: transaction markers and compacted batches. */
export interface BatchFields {
  readonly baseOffset: number;
  readonly leaderEpoch: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** Assembles a batch around encoded (and, if so declared in the attributes, compressed) records. */
export function encodeBatch(fields: BatchFields, records: Buffer): Buffer {
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  stampBatch(batch, fields.baseOffset, fields.leaderEpoch);
  batch.writeInt32BE(batch.length - BATCH_OVERHEAD_BYTES, 8);
  batch.writeInt8(MAGIC, 16);
  batch.writeInt16BE(fields.attributes, 21);
  batch.writeInt32BE(fields.lastOffsetDelta, 23);
  writeInt64(batch, fields.baseTimestamp, 27);
  writeInt64(batch, fields.maxTimestamp, 35);
  writeInt64(batch, fields.producerId, 43);
  batch.writeInt16BE(fields.producerEpoch, 51);
  batch.writeInt32BE(fields.baseSequence, 53);
  batch.writeInt32BE(fields.recordCount, 57);
  records.copy(batch, BATCH_HEADER_BYTES);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)), 17);
  return batch;
}

function writeInt64(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 4294967296);
  buffer.writeInt32BE(high, at);
  buffer.writeUInt32BE(value - high * 4294967296, at + 4);
}

/** What a control batch says: the end of a transaction. */
export interface Marker {
  readonly commit: boolean;
  readonly coordinatorEpoch: number;
}

/**
 * The batch that ends a transaction in one partition.
 *
 *   key => version(0) i16, type i16 (0 abort, 1 commit); value => version(0) i16, coordinator_epoch i32
 */
export function encodeMarker(
  producer: { readonly producerId: number; readonly producerEpoch: number },
  marker: Marker,
  nowMs: number,
): Buffer {
  // length(16), attributes, timestamp delta, offset delta, key length(4), key, value length(6), value, no headers;
  // the lengths are zigzag varints.
  const record = Buffer.from([
    0x20,
    0,
    0,
    0,
    0x08,
    0,
    0,
    0,
    marker.commit ? 1 : 0,
    0x0c,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]);
  record.writeInt32BE(marker.coordinatorEpoch, 12);
  return encodeBatch(
    {
      baseOffset: 0,
      leaderEpoch: 0,
      attributes: TRANSACTIONAL | CONTROL,
      lastOffsetDelta: 0,
      baseTimestamp: nowMs,
      maxTimestamp: nowMs,
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      baseSequence: -1,
      recordCount: 1,
    },
    record,
  );
}

/** Whether the control batch that starts at `at` commits. Control batches are never compressed. */
export function markerCommits(buffer: Buffer, at = 0): boolean {
  return buffer.readInt16BE(at + BATCH_HEADER_BYTES + 7) === 1;
}
