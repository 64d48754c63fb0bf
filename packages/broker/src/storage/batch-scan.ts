import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  baseOffsetAt,
  batchSizeAt,
  lastOffsetAt,
} from './record-batch.ts';

/** Which batches a reader wants. */
export interface WantedBatches {
  /** The first one is that which contains this offset. */
  readonly offset: number;
  /** None starts here or behind. */
  readonly bound: number;
  readonly bytesMax: number;
  /** The first one may be larger than `bytesMax`. */
  readonly atLeastOne: boolean;
}

/** Whole batches that follow each other in the log. */
export interface FoundBatches {
  /** The bytes of all of them, in order. */
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
  /** The offset behind the last of them; what was asked for when there are none. */
  readonly nextOffset: number;
  /** Gives the memory of the buffers back; to be called when they were sent, or at once when they are not wanted. */
  readonly release?: () => void;
}

export const noBatches = (offset: number): FoundBatches => ({ buffers: [], bytes: 0, nextOffset: offset });

/** What a block of log has of the wanted batches. */
export interface Scan extends FoundBatches {
  /** When nothing was found: where in the block to read on, and how much at least; null when there is no more. */
  readonly resume: { readonly at: number; readonly bytes: number } | null;
}

/** Finds the wanted batches in a block of log that starts with a batch. They are returned as one view of the block. */
export function scanBatches(block: Buffer, wanted: WantedBatches): Scan {
  let at = 0;
  while (at + BATCH_HEADER_BYTES <= block.length && lastOffsetAt(block, at) < wanted.offset) {
    at += Math.max(batchSizeAt(block, at), BATCH_HEADER_BYTES); // a damaged size must not hold us here
  }
  const start = at;
  let nextOffset = wanted.offset;
  while (at + BATCH_HEADER_BYTES <= block.length) {
    const size = batchSizeAt(block, at);
    const isLast = size < BATCH_HEADER_BYTES || baseOffsetAt(block, at) >= wanted.bound;
    const isTooMuch = at + size - start > wanted.bytesMax && !(wanted.atLeastOne && at === start);
    if (isLast || isTooMuch) return found(block, start, at, nextOffset, null);
    if (at + size > block.length) break;
    nextOffset = lastOffsetAt(block, at) + 1;
    at += size;
  }
  const isHeaderKnown = at + BATCH_OVERHEAD_BYTES <= block.length;
  const bytes = isHeaderKnown ? batchSizeAt(block, at) : BATCH_HEADER_BYTES;
  return found(block, start, at, nextOffset, at === start ? { at, bytes } : null);
}

function found(block: Buffer, start: number, end: number, nextOffset: number, resume: Scan['resume']): Scan {
  const buffers = end > start ? [block.subarray(start, end)] : [];
  return { buffers, bytes: end - start, nextOffset, resume };
}
