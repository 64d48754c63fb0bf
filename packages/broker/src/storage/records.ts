import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { ProtocolError } from '../wire/error-codes.ts';
import {
  BATCH_HEADER_BYTES,
  compression,
  compressionOf,
  isLogAppendTime,
  readBatchHeader,
} from './record-batch.ts';

/** Decompressed records of one batch may take this much; a small batch can otherwise claim to hold gigabytes. */
const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

/** One record, as far as the broker ever looks into it. */
export interface LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
  readonly attributes: number;
  /** The record's bytes from its offset delta on, as compaction copies them. */
  readonly rest: Buffer;
}

/**
 * Decodes the records of an intact batch. The broker does this only for timestamp lookups, compaction and the check
 * that records of a compacted topic have keys.
 *
 *   record => length varint, attributes i8, timestamp_delta varlong, offset_delta varint, key_length varint, key,
 *             value_length varint, value, headers; all varints zigzag
 */
export async function decodeRecords(batch: Buffer): Promise<LogRecord[]> {
  const header = readBatchHeader(batch);
  const body = await decompress(compressionOf(header.attributes), batch.subarray(BATCH_HEADER_BYTES));
  const cursor = new VarintCursor(body);
  const records: LogRecord[] = [];
  for (let index = 0; index < header.recordCount; index += 1) {
    const length = cursor.next();
    const end = cursor.position + length;
    const attributes = cursor.byte();
    const timestamp = header.baseTimestamp + cursor.next();
    const restFrom = cursor.position;
    const offset = header.baseOffset + cursor.next();
    const key = cursor.bytes();
    const value = cursor.bytes();
    cursor.position = end;
    records.push({
      offset,
      timestamp: isLogAppendTime(header.attributes) ? header.maxTimestamp : timestamp,
      key,
      value,
      attributes,
      rest: body.subarray(restFrom, end),
    });
  }
  return records;
}

/** Writes a record again, uncompressed, with its time relative to another base. */
export function encodeRecord(record: LogRecord, baseTimestamp: number): Buffer {
  const delta = zigzagVarint(record.timestamp - baseTimestamp);
  const length = zigzagVarint(1 + delta.length + record.rest.length);
  return Buffer.concat([length, Buffer.from([record.attributes]), delta, record.rest]);
}

function zigzagVarint(value: number): Buffer {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  const bytes: number[] = [];
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

const gunzipAsync = promisify(gunzip);
const zstdDecompressAsync = promisify(zstdDecompress);

async function decompress(codec: number, data: Buffer): Promise<Buffer> {
  const limit = { maxOutputLength: DECOMPRESSED_BYTES_MAX };
  switch (codec) {
    case compression.none:
      return data;
    case compression.gzip:
      return gunzipAsync(data, limit);
    case compression.zstd:
      return zstdDecompressAsync(data, limit);
    case compression.snappy:
      return unsnappy(data);
    case compression.lz4: {
      const { lz4Decompress } = await import('@platformatic/wasm-utils');
      return lz4Decompress(data);
    }
    default:
      throw new ProtocolError('unsupportedCompressionType');
  }
}

/** Java clients wrap snappy in the framing of the Xerial library: a 16-byte header, then length-prefixed chunks. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

async function unsnappy(data: Buffer): Promise<Buffer> {
  const { snappyDecompress } = await import('@platformatic/wasm-utils');
  if (!data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyDecompress(data);
  const chunks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at + 4 <= data.length; ) {
    const length = data.readInt32BE(at);
    if (length < 0 || at + 4 + length > data.length) throw new ProtocolError('corruptMessage');
    chunks.push(Buffer.from(snappyDecompress(data.subarray(at + 4, at + 4 + length))));
    at += 4 + length;
  }
  return Buffer.concat(chunks);
}

/** Reads zigzag varints; anything out of bounds means that the batch lies about its records. */
class VarintCursor {
  readonly #buffer: Buffer;
  position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  next(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#buffer[this.position];
      if (byte === undefined) throw new ProtocolError('corruptMessage', 'a record ends early');
      this.position += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new ProtocolError('corruptMessage', 'a variable-length integer does not end');
  }

  byte(): number {
    this.position += 1;
    return this.#buffer[this.position - 1] ?? 0;
  }

  bytes(): Buffer | null {
    const length = this.next();
    if (length < 0) return null;
    const start = this.position;
    this.position += length;
    if (this.position > this.#buffer.length) throw new ProtocolError('corruptMessage', 'a record ends early');
    return this.#buffer.subarray(start, this.position);
  }
}
