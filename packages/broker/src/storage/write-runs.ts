import type { QueuedBatch } from './append-queue.ts';

/** Batches smaller than this are copied together: a long list of tiny buffers costs more than the copy. */
const SMALL_BYTES = 4096;
const RUN_BYTES_MAX = 64 * 1024;

/** Batches that are written, and kept for readers, as one piece of memory. */
export interface WriteRun {
  readonly bytes: Buffer;
  readonly nextOffset: number;
}

/** Joins neighbouring small batches of a group; large ones stay as they are, uncopied. */
export function writeRuns(group: readonly QueuedBatch[]): WriteRun[] {
  const runs: WriteRun[] = [];
  let small: QueuedBatch[] = [];
  let smallBytes = 0;
  const flush = () => {
    const last = small.at(-1);
    if (!last) return;
    const bytes =
      small.length === 1
        ? last.batch
        : Buffer.concat(
            small.map(({ batch }) => batch),
            smallBytes,
          );
    runs.push({ bytes, nextOffset: last.header.lastOffset + 1 });
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
