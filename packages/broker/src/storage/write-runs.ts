import type { QueuedBatch } from './append-queue.ts';
import type { LentMemory } from './lent-memory.ts';

/** Batches smaller than this are copied together: a long list of tiny buffers costs more than the copy. */
const SMALL_BYTES = 4096;
const RUN_BYTES_MAX = 64 * 1024;

/** Batches that are written, and kept for readers, as one piece of memory. */
export interface WriteRun {
  readonly bytes: Buffer;
  readonly nextOffset: number;
  /** The piece was lent for this run; whoever asked for the runs gives it back. */
  readonly isJoined: boolean;
}

/** Joins neighbouring small batches of a group; large ones stay as they are, uncopied. */
export function writeRuns(group: readonly QueuedBatch[], memory: LentMemory): WriteRun[] {
  const runs: WriteRun[] = [];
  let small: QueuedBatch[] = [];
  let smallBytes = 0;
  const flush = () => {
    const last = small.at(-1);
    if (!last) return;
    const isJoined = small.length > 1;
    const bytes = isJoined ? joined(small, memory.take(smallBytes)) : last.batch;
    runs.push({ bytes, nextOffset: last.header.lastOffset + 1, isJoined });
    small = [];
    smallBytes = 0;
  };
  for (const queued of group) {
    if (queued.batch.length >= SMALL_BYTES || smallBytes + queued.batch.length > RUN_BYTES_MAX) flush();
    small.push(queued);
    smallBytes += queued.batch.length;
    if (queued.batch.length >= SMALL_BYTES) flush();
  }
  flush();
  return runs;
}

function joined(batches: readonly QueuedBatch[], into: Buffer): Buffer {
  let at = 0;
  for (const { batch } of batches) at += batch.copy(into, at);
  return into;
}
