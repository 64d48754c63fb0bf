import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { ProtocolError } from '../wire/error-codes.ts';
import { compression } from './record-batch.ts';

/** Decompressed records of one batch may take this much; a small batch can otherwise claim to hold gigabytes. */
const BYTES_MAX = 256 * 1024 * 1024;

const gunzipAsync = promisify(gunzip);
const zstdDecompressAsync = promisify(zstdDecompress);

/** Takes the records of a batch out of their compression. Throws CORRUPT_MESSAGE for what cannot be decompressed. */
export async function decompress(codec: number, data: Buffer): Promise<Buffer> {
  try {
    return await decompressed(codec, data);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('corruptMessage', 'the records cannot be decompressed');
  }
}

async function decompressed(codec: number, data: Buffer): Promise<Buffer> {
  switch (codec) {
    case compression.none:
      return data;
    case compression.gzip:
      return gunzipAsync(data, { maxOutputLength: BYTES_MAX });
    case compression.zstd:
      return zstdDecompressAsync(data, { maxOutputLength: BYTES_MAX });
    case compression.snappy:
      return unsnappy(data);
    case compression.lz4: {
      checkLz4Size(data);
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
  const chunks = isXerial(data) ? xerialChunks(data) : [data];
  // The library takes memory on the word of the length in front, and never gives it back.
  if (chunks.reduce((sum, chunk) => sum + snappySize(chunk), 0) > BYTES_MAX) throw tooLarge();
  const { snappyDecompress } = await import('@platformatic/wasm-utils');
  return Buffer.concat(chunks.map(chunk => snappyDecompress(chunk)));
}

const isXerial = (data: Buffer): boolean => data.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC);

function xerialChunks(data: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = XERIAL_HEADER_BYTES; at + 4 <= data.length; ) {
    const end = at + 4 + data.readInt32BE(at);
    if (end < at + 4 || end > data.length)
      throw new ProtocolError('corruptMessage', 'a snappy chunk ends early');
    chunks.push(data.subarray(at + 4, end));
    at = end;
  }
  return chunks;
}

/** The decompressed length that a snappy block claims: an unsigned varint of at most five bytes. */
function snappySize(block: Buffer): number {
  let size = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return size;
  }
  throw new ProtocolError('corruptMessage', 'a snappy block without a length');
}

/**
 * Refuses an lz4 frame whose blocks could hold more than is allowed. Frame: magic 4, flags 1, block size 1, content
 * size 8 (flag 0x08), dictionary 4 (flag 0x01), checksum 1; then blocks, each a length u32 (high bit: not compressed),
 * its data, and a checksum 4 (flag 0x10); a length of 0 ends the frame.
 */
function checkLz4Size(frame: Buffer): void {
  if (frame.length < 7) throw new ProtocolError('corruptMessage', 'an lz4 frame ends early');
  const [flags = 0, sizes = 0] = frame.subarray(4, 6);
  const blockBytesMax = 2 ** (8 + 2 * ((sizes >> 4) & 0x07));
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let bytes = 0;
  while (at + 4 <= frame.length) {
    const length = frame.readUInt32LE(at) & 0x7fffffff;
    if (length === 0) break;
    at += 4 + length + (flags & 0x10 ? 4 : 0);
    bytes += Math.min(blockBytesMax, length * 255); // no lz4 block becomes more than 255 times as large
  }
  if (bytes > BYTES_MAX) throw tooLarge();
}

const tooLarge = () => new ProtocolError('corruptMessage', `the records take more than ${BYTES_MAX} bytes`);
