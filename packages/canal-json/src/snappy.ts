import { Lz77Output } from './lz77.ts';

/** First bytes of the frame in which Java's library, and some others, put Snappy blocks (xerial/snappy-java). */
export const xerialMagic = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
/** Magic, version, oldest version that can read it. */
const xerialHead = 16;

/**
 * Snappy, uncompressed: one block, or blocks in xerial's frame, each behind its length.
 * @throws RangeError for what is neither
 */
export function uncompressedSnappy(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!xerialMagic.every((byte, at) => bytes[at] === byte)) return readBlock(bytes, bytesMax);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const output = new Lz77Output(bytes.length * 3, bytesMax);
  for (let at = xerialHead; at < bytes.length; ) {
    const length = view.getUint32(at);
    const block = readBlock(bytes.subarray(at + 4, at + 4 + length), bytesMax);
    output.literal(block, 0, block.length);
    at += 4 + length;
  }
  return output.take();
}

/** Offset of the bytes of the literal that a block begins with; undefined when it does not begin with one. */
export function blockStart(bytes: Uint8Array): number | undefined {
  const { end } = readLength(bytes);
  const tag = bytes[end];
  if (end === 0 || tag === undefined || (tag & 3) !== 0) return undefined;
  return end + 1 + extraBytes(tag >> 2);
}

/** The length of the content, seven bits a byte, the lowest first. `end` is 0 when there is none. */
function readLength(bytes: Uint8Array): { length: number; end: number } {
  let length = 0;
  for (let at = 0; at < 5 && at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, end: at + 1 };
  }
  return { length: 0, end: 0 };
}

/** Bytes of a literal's length that stand behind its tag. */
function extraBytes(code: number): number {
  return code < 60 ? 0 : code - 59;
}

/**
 * Elements of a block, told apart by the two lowest bits of their tag (google/snappy, format_description.txt): 0 a
 * literal, 1 to 3 a copy whose distance has 11, 16 or 32 bits.
 */
function readBlock(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const { length, end } = readLength(bytes);
  if (end === 0) throw new RangeError('its length cannot be read');
  const output = new Lz77Output(length, bytesMax);
  for (let at = end; at < bytes.length; ) at = readElement(bytes, at, output);
  if (output.length !== length) throw new RangeError('it is not as long as it says');
  return output.take();
}

/** Reads the element at an offset; answers the offset of the next one. */
function readElement(bytes: Uint8Array, at: number, output: Lz77Output): number {
  const tag = bytes[at] as number;
  const kind = tag & 3;
  const code = tag >> 2;
  if (kind === 0) {
    const extra = extraBytes(code);
    const length = 1 + (extra === 0 ? code : little(bytes, at + 1, extra));
    output.literal(bytes, at + 1 + extra, length);
    return at + 1 + extra + length;
  }
  if (kind === 1) {
    output.repeat(((tag >> 5) << 8) | little(bytes, at + 1, 1), 4 + (code & 7));
    return at + 2;
  }
  const width = kind === 2 ? 2 : 4;
  output.repeat(little(bytes, at + 1, width), 1 + code);
  return at + 1 + width;
}

function little(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let at = 0; at < width; at += 1) value += (bytes[start + at] ?? 0) * 2 ** (8 * at);
  return value;
}
