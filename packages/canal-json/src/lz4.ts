import { Lz77Output } from './lz77.ts';

/** First bytes of an LZ4 frame (LZ4 Frame Format Description, version 1.6). */
export const lz4Magic = Uint8Array.of(0x04, 0x22, 0x4d, 0x18);

const independentBlocks = 0x20;
const blockChecksums = 0x10;
const contentSize = 0x08;
const dictionaryId = 0x01;
const storedBlock = 0x8000_0000;
const versionBits = 0xc0;
const version = 0x40;

/**
 * An LZ4 frame, uncompressed: magic, descriptor (flags, block size, [content size], [dictionary], checksum of the
 * header), blocks with their lengths, a length of zero. Checksums are passed over: Kafka's records have their own.
 * @throws RangeError for what is no such frame
 */
export function uncompressedLz4(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint8(lz4Magic.length);
  if ((flags & versionBits) !== version) throw new RangeError('its version is unknown');
  if ((flags & dictionaryId) !== 0) throw new RangeError('it needs a dictionary');
  let at = lz4Magic.length + 3 + ((flags & contentSize) === 0 ? 0 : 8);
  const output = new Lz77Output(bytes.length * 3, bytesMax);
  for (;;) {
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return output.take();
    const length = head & ~storedBlock;
    const floor = (flags & independentBlocks) === 0 ? 0 : output.length;
    if (head >= storedBlock) output.literal(bytes, at, length);
    else readBlock(bytes, at, length, output, floor);
    at += length + ((flags & blockChecksums) === 0 ? 0 : 4);
  }
}

/**
 * One block: a token of two lengths, literals, the distance of a match, and so on; the last sequence has no match.
 * @param floor what a match must not reach below
 */
function readBlock(
  bytes: Uint8Array,
  start: number,
  length: number,
  output: Lz77Output,
  floor: number,
): void {
  const end = start + length;
  if (end > bytes.length) throw new RangeError('it ends too early');
  let at = start;
  /** A length of 15 goes on in the bytes that follow, as long as they are 255. */
  const extended = (nibble: number): number => {
    let sum = nibble;
    for (let more = nibble === 15; more; ) {
      const byte = bytes[at] ?? 0;
      at += 1;
      sum += byte;
      more = byte === 255;
    }
    return sum;
  };
  while (at < end) {
    const token = bytes[at] as number;
    at += 1;
    const literals = extended(token >> 4);
    if (at + literals > end) throw new RangeError('it ends too early');
    output.literal(bytes, at, literals);
    at += literals;
    if (at >= end) return;
    const distance = (bytes[at] as number) | ((bytes[at + 1] ?? 0) << 8);
    at += 2;
    if (distance > output.length - floor) throw new RangeError('it refers to what is not there');
    output.repeat(distance, 4 + extended(token & 15));
  }
}
