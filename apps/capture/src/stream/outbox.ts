import type { ChunkMark } from '../snapshot/copy-lane.ts';

/** A message on its way to the broker. */
export interface OutboundMessage {
  readonly partition: number;
  readonly value: Buffer;
  /** Identity of the change; undefined for a watermark, which is none. */
  readonly changeId: string | undefined;
  readonly traceparent: string | undefined;
  readonly table: string;
  readonly op: string;
}

/** The end of a transaction of which everything stands before it in the outbox. */
export interface CommitMark {
  /** Position to confirm and to resume at. */
  readonly endLsn: bigint;
  /** The newest commitTs given out up to here. */
  readonly commitTs: bigint;
  /** When the transaction was committed, milliseconds since the Unix epoch; undefined for a mark that no commit made. */
  readonly commitMs: number | undefined;
  /** Rows of a table's copy that the transaction carried, if any. */
  readonly chunk?: ChunkMark;
}

export interface Batch {
  readonly messages: readonly OutboundMessage[];
  /** Commit marks that are reached once the batch is acknowledged. */
  readonly marks: readonly CommitMark[];
}

export interface OutboxBounds {
  /** Above this the source is asked to wait. */
  readonly bytesMax: number;
  readonly batchMessagesMax: number;
  readonly batchBytesMax: number;
}

/** Bytes that a message costs beside its value: headers, record framing, the object itself. */
const overheadBytes = 200;

/**
 * What was captured and not yet handed to the broker, in order. The source pushes without waiting, because it works
 * inside a socket callback; it looks at `isFull` and stops reading instead.
 */
export class Outbox {
  readonly #bounds: OutboxBounds;
  readonly #onRoom: () => void;
  #entries: (OutboundMessage | CommitMark)[] = [];
  #head = 0;
  #bytes = 0;
  #wake: (() => void) | undefined;
  #wakeForRoom: (() => void) | undefined;

  /** @param onRoom called when the outbox was full and has room again */
  constructor(bounds: OutboxBounds, onRoom: () => void) {
    this.#bounds = bounds;
    this.#onRoom = onRoom;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bounds.bytesMax;
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(entry: OutboundMessage | CommitMark): void {
    this.#entries.push(entry);
    this.#bytes += bytesOf(entry);
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Resolves when there is something to take. Rejects with the signal's reason when it aborts first. */
  async waitForEntries(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.isEmpty) return;
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      this.#wake = () => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
    });
  }

  /** Resolves when there is room. Rejects with the signal's reason when it aborts first. */
  async waitForRoom(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.isFull) return;
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      this.#wakeForRoom = () => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
    });
  }

  /** Takes what fits into one batch. It counts as in the outbox until the next call. */
  take(): Batch {
    const messages: OutboundMessage[] = [];
    const marks: CommitMark[] = [];
    let bytes = 0;
    const { batchMessagesMax, batchBytesMax } = this.#bounds;
    for (; this.#head < this.#entries.length; this.#head += 1) {
      const entry = this.#entries[this.#head];
      if (entry === undefined) break;
      if (isMark(entry)) {
        marks.push(entry);
        continue;
      }
      const size = bytesOf(entry);
      if (messages.length === batchMessagesMax) break;
      if (messages.length > 0 && bytes + size > batchBytesMax) break;
      messages.push(entry);
      bytes += size;
    }
    this.#compact();
    return { messages, marks };
  }

  /** Frees the room of a batch that was acknowledged. */
  release(batch: Batch): void {
    const wasFull = this.isFull;
    for (const message of batch.messages) this.#bytes -= bytesOf(message);
    if (!wasFull || this.isFull) return;
    this.#wakeForRoom?.();
    this.#wakeForRoom = undefined;
    this.#onRoom();
  }

  #compact(): void {
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

function isMark(entry: OutboundMessage | CommitMark): entry is CommitMark {
  return 'endLsn' in entry;
}

function bytesOf(entry: OutboundMessage | CommitMark): number {
  return isMark(entry) ? 0 : entry.value.length + overheadBytes;
}
