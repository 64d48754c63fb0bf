import type { Batch } from './batch.ts';
import type { Item } from './item.ts';
import { recordBytes, type SourceRecord, type TopicPartition } from './record.ts';
import type { RecordBatch } from './source.ts';

/** What a lane needs from the pipeline that it belongs to. */
export interface LaneWork<E> {
  readonly partition: TopicPartition;
  /** Every offset below is done when the lane starts. */
  readonly position: bigint;
  /** The offset that the source reads first; another than `position` only after the log was cut. */
  readonly readFrom: bigint;
  decode(record: SourceRecord): Item<E>;
  /** Persists a batch, once for the records of each `taken`; rejects when the signal aborts or when nothing can be done about it (fenced). */
  deliver(batch: Batch<E>, signal: AbortSignal): Promise<void>;
  /** Waits for the turn of a delivery; resolves with what ends the turn. */
  turn(signal: AbortSignal): Promise<() => void>;
  /** Events in one delivery, at most. */
  batchItems(): number;
  /** Bytes in one delivery, at most; one larger record goes alone. */
  readonly batchBytes: number;
  /** Every offset below is done. */
  advanced(nextOffset: bigint): void;
  /** Records left the queue and are on their way; each is settled or abandoned by `deliver`. */
  taken(records: number): void;
  /** The lane ended with an error and takes no more. */
  failed(error: unknown): void;
}

/** The way of one partition's records from the source to the sink, while the partition is ours. */
export interface Lane {
  readonly partition: TopicPartition;
  readonly queuedRecords: number;
  /** Bytes of all records that the lane holds, those in flight included. */
  readonly queuedBytes: number;
  /** Every offset below is done. */
  readonly position: bigint;
  /** Timestamp of the oldest record not yet done, milliseconds since the epoch. */
  readonly oldestPendingMs: number | undefined;
  /** Queues what was read. A read that does not continue the one before is stale and is dropped. */
  offer(read: RecordBatch): void;
  /** Delivers what is queued and then ends. */
  finish(): Promise<void>;
  /**
   * Begins no more deliveries and resolves when the running ones ended. When the deadline aborts they are abandoned
   * whole. What was only queued is dropped; it is read again later.
   */
  close(deadline: AbortSignal): Promise<void>;
}

/** Records waiting in a lane, with what they weigh. */
export class RecordQueue {
  #records: (SourceRecord | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#records.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  peek(): SourceRecord | undefined {
    return this.#records[this.#head];
  }

  push(record: SourceRecord): void {
    this.#records.push(record);
    this.#bytes += recordBytes(record);
  }

  shift(): SourceRecord | undefined {
    const record = this.#records[this.#head];
    if (record === undefined) return undefined;
    this.#records[this.#head] = undefined; // a record holds on to the whole response that it came with
    this.#head += 1;
    this.#bytes -= recordBytes(record);
    if (this.#head >= 1024 && this.#head * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
    return record;
  }

  /** Takes up to `maxItems` records of together up to `maxBytes`, and at least one if there is one. */
  take(maxItems: number, maxBytes: number): SourceRecord[] {
    const taken: SourceRecord[] = [];
    let bytes = 0;
    for (let next = this.peek(); next !== undefined && taken.length < maxItems; next = this.peek()) {
      bytes += recordBytes(next);
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(next);
      this.shift();
    }
    return taken;
  }

  clear(): void {
    this.#records = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}

/** Aborts `target` when `deadline` does; returns what ends the connection. */
export function abortWith(target: AbortController, deadline: AbortSignal): () => void {
  const abort = () => target.abort(deadline.reason);
  if (deadline.aborted) abort();
  deadline.addEventListener('abort', abort, { once: true });
  return () => deadline.removeEventListener('abort', abort);
}
