import type { BatchHeader } from './record-batch.ts';

/** A batch that has its offset and waits to be written. */
export interface QueuedBatch {
  readonly batch: Buffer;
  readonly header: BatchHeader;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * Group commit: one write is under way, and everything that arrives meanwhile joins the next one. The write function
 * gets the batches in order; when it fails, the batches of the group and all behind it are rejected, because their
 * offsets follow from each other.
 */
export class AppendQueue {
  readonly #write: (group: readonly QueuedBatch[]) => Promise<void>;
  /** Takes the offsets back at once and resolves when the file is fit for the next write. */
  readonly #failed: (reason: unknown) => Promise<void>;
  readonly #groupBytesMax: number;
  #waiting: QueuedBatch[] = [];
  #running: Promise<void> | undefined;
  #bytes = 0;

  constructor(
    write: (group: readonly QueuedBatch[]) => Promise<void>,
    failed: (reason: unknown) => Promise<void>,
    groupBytesMax = 4 * 1024 * 1024,
  ) {
    this.#write = write;
    this.#failed = failed;
    this.#groupBytesMax = groupBytesMax;
  }

  /** Bytes that are neither written nor rejected yet. */
  get bytes(): number {
    return this.#bytes;
  }

  push(batch: QueuedBatch): void {
    this.#waiting.push(batch);
    this.#bytes += batch.batch.length;
    this.#running ??= this.#run();
  }

  /** Resolves when everything queued so far is written or rejected. */
  async drained(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    // One turn of the event loop later, so that batches which arrived in the same packet share the first write.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeNext();
    this.#running = undefined;
  }

  async #writeNext(): Promise<void> {
    const group = this.#takeGroup();
    try {
      await this.#write(group);
    } catch (reason) {
      const lost = [...group, ...this.#waiting];
      this.#waiting = [];
      this.#bytes = 0;
      const cleanedUp = this.#failed(reason);
      for (const queued of lost) queued.reject(reason);
      await cleanedUp;
      return;
    }
    for (const queued of group) this.#bytes -= queued.batch.length;
    for (const queued of group) queued.resolve();
  }

  #takeGroup(): QueuedBatch[] {
    let bytes = 0;
    let count = 0;
    for (const queued of this.#waiting) {
      bytes += queued.batch.length;
      if (count > 0 && bytes > this.#groupBytesMax) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
