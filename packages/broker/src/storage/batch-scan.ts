import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  baseOffsetAt,
  batchSizeAt,
  lastOffsetAt,
} from './record-batch.ts';

export interface FoundBatches {
  readonly batches: Buffer[];
  /** When nothing was found: where in the block to read on, and how much at least. */
  readonly next: { readonly at: number; readonly size: number } | null;
}

/**
 * Finds in a block of log the batches from the one that contains `offset`, none that starts at or behind `bound`,
 * together at most `bytesMax` unless the first alone is larger.
 */
export function batchesIn(block: Buffer, offset: number, bound: number, bytesMax: number): FoundBatches {
  const batches: Buffer[] = [];
  let bytes = 0;
  let at = 0;
  while (at + BATCH_HEADER_BYTES <= block.length) {
    const size = batchSizeAt(block, at);
    if (size < BATCH_HEADER_BYTES || baseOffsetAt(block, at) >= bound) return { batches, next: null };
    if (lastOffsetAt(block, at) >= offset) {
      if (batches.length > 0 && bytes + size > bytesMax) break;
      if (at + size > block.length) break;
      batches.push(block.subarray(at, at + size));
      bytes += size;
    }
    at += size;
  }
  if (batches.length > 0) return { batches, next: null };
  const known = at + BATCH_OVERHEAD_BYTES <= block.length;
  return { batches, next: { at, size: known ? batchSizeAt(block, at) : BATCH_HEADER_BYTES } };
}
