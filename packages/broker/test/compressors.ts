import { gzipSync, zstdCompressSync } from 'node:zlib';
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils';

/** By the number that a batch's attributes give them: none, gzip, snappy, lz4, zstd. */
export const compressors: readonly ((data: Buffer) => Buffer)[] = [
  data => data,
  data => gzipSync(data),
  data => Buffer.from(snappyCompress(data)),
  data => Buffer.from(lz4Compress(data)),
  data => zstdCompressSync(data),
];
