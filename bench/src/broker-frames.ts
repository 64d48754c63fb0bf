import { crc32c } from '@node-rs/crc32';

/*
 * Requests as bytes, made once and sent many times: what is measured is then the broker and not a client's encoder.
 * Layouts are from Kafka's protocol guide; Produce is version 8 and Fetch version 11, the last before the flexible
 * ones, which both brokers serve. Record batches are of magic 2, uncompressed.
 */

const batchHeaderBytes = 61;
const crcFrom = 21;

/** Bytes of the head of a Produce response that hold the error code, and of a Fetch response that hold the size. */
export const headBytes = 128;

/** A batch of `count` messages whose values have `valueBytes` bytes each. Every broker stamps its own offsets on it. */
export function recordBatch(valueBytes: number, count: number): Buffer {
  const value = Buffer.alloc(valueBytes, 'tidemark ');
  const records = Array.from({ length: count }, (_, index) => {
    const body = Buffer.concat([
      Buffer.from([0, 0]), // attributes, timestamp delta
      varint(index),
      varint(-1), // no key
      varint(valueBytes),
      value,
      Buffer.from([0]), // no headers
    ]);
    return Buffer.concat([varint(body.length), body]);
  });
  const body = Buffer.concat(records);
  const batch = Buffer.alloc(batchHeaderBytes + body.length);
  const now = BigInt(Date.now());
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt8(2, 16); // magic
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(now, 27);
  batch.writeBigInt64BE(now, 35);
  batch.writeBigInt64BE(-1n, 43); // no producer id, epoch, sequence
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  body.copy(batch, batchHeaderBytes);
  batch.writeUInt32BE(crc32c(batch.subarray(crcFrom)), 17);
  return batch;
}

/** A Produce request that waits for all replicas, as the Java client does by default. */
export function produceFrame(topic: string, partition: number, batch: Buffer): Buffer {
  return frame(0, 8, [
    int16(-1), // not transactional
    int16(-1), // acknowledged by all replicas
    int32(30_000),
    int32(1),
    text(topic),
    int32(1),
    int32(partition),
    int32(batch.length),
    batch,
  ]);
}

/** The error code in the head of an answer to {@link produceFrame}. */
export function produceError(head: Buffer, topic: string): number {
  return head.readInt16BE(8 + 4 + 2 + topic.length + 4 + 4);
}

/** A Fetch request with the defaults of the Java client but for the bytes; one for 0 bytes does not wait for any. */
export function fetchFrame(topic: string, partition: number, offset: number, bytesMax: number): Buffer {
  return frame(1, 11, [
    int32(-1), // no replica
    int32(500),
    int32(Math.min(bytesMax, 1)), // at least
    int32(50 * 1024 * 1024),
    Buffer.from([0]), // read uncommitted
    int32(0), // no session
    int32(-1),
    int32(1),
    text(topic),
    int32(1),
    int32(partition),
    int32(-1), // any leader epoch
    int64(offset),
    int64(-1), // no log start: this is no follower
    int32(bytesMax),
    int32(0), // no forgotten topics
    text(''),
  ]);
}

/** Puts another offset into a request made by {@link fetchFrame}. */
export function setFetchOffset(request: Buffer, offset: number): void {
  request.writeBigInt64BE(BigInt(offset), request.length - 26);
}

/** Error code and bytes of records in the head of an answer to {@link fetchFrame}. */
export function fetchHead(head: Buffer, topic: string): { readonly error: number; readonly bytes: number } {
  const partition = 8 + 4 + 2 + 4 + 4 + 2 + topic.length + 4; // throttle, error, session, topics, name, partitions
  const aborted = partition + 4 + 2 + 8 * 3; // number, error, high watermark, last stable offset, log start
  const size = aborted + 4 + Math.max(head.readInt32BE(aborted), 0) * 16 + 4; // each aborted one, replica
  return { error: head.readInt16BE(partition + 4), bytes: head.readInt32BE(size) };
}

/** ApiVersions version 0: the first thing that a client asks. */
export function apiVersionsFrame(): Buffer {
  return frame(18, 0, []);
}

function frame(key: number, version: number, body: readonly Buffer[]): Buffer {
  const content = Buffer.concat([int16(key), int16(version), int32(7), text('bench'), ...body]);
  return Buffer.concat([int32(content.length), content]);
}

function text(value: string): Buffer {
  return Buffer.concat([int16(value.length), Buffer.from(value)]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** Zigzag varint of a number that fits 31 bits. */
function varint(value: number): Buffer {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  const bytes: number[] = [];
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
