import { ProtocolError } from '../wire/error-codes.ts';
import { decompress } from './decompress.ts';
import { BATCH_HEADER_BYTES, compressionOf, isLogAppendTime, readBatchHeader } from './record-batch.ts';

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
    const end = cursor.end(cursor.next());
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

  /** Where something of this length ends that begins here. */
  end(length: number): number {
    const end = this.position + length;
    if (length < 0 || end > this.#buffer.length)
      throw new ProtocolError('corruptMessage', 'a record ends early');
    return end;
  }

  byte(): number {
    this.position += 1;
    return this.#buffer[this.position - 1] ?? 0;
  }

  bytes(): Buffer | null {
    const length = this.next();
    if (length < 0) return null;
    const start = this.position;
    this.position = this.end(length);
    return this.#buffer.subarray(start, this.position);
  }
}
