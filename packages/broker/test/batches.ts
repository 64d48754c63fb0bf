import { encodeBatch } from '../src/storage/record-batch.ts';
import { encodeRecord } from '../src/storage/records.ts';

export interface BatchSketch {
  readonly records: readonly { readonly key?: string | null; readonly value: string | null }[];
  readonly timestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly attributes?: number;
}

/** A batch as a client would send it, uncompressed. */
export function batchOf(sketch: BatchSketch): Buffer {
  const {
    records,
    timestamp = 1000,
    producerId = -1,
    producerEpoch = -1,
    baseSequence = -1,
    attributes = 0,
  } = sketch;
  const body = records.map(({ key, value }, index) => {
    const rest = Buffer.concat([varint(index), bytes(key ?? null), bytes(value), varint(0)]);
    const record = { offset: index, timestamp, attributes: 0, key: null, value: null, rest };
    return encodeRecord(record, timestamp);
  });
  return encodeBatch(
    {
      baseOffset: 0,
      leaderEpoch: 0,
      attributes,
      lastOffsetDelta: records.length - 1,
      baseTimestamp: timestamp,
      maxTimestamp: timestamp,
      producerId,
      producerEpoch,
      baseSequence,
      recordCount: records.length,
    },
    Buffer.concat(body),
  );
}

function bytes(text: string | null): Buffer {
  if (text === null) return varint(-1);
  const content = Buffer.from(text);
  return Buffer.concat([varint(content.length), content]);
}

/** Zigzag varint of a number that fits 31 bits. */
function varint(value: number): Buffer {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  const out: number[] = [];
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...out, rest]);
}
