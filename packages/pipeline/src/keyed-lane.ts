import { deferred } from '@tidemark/kernel';
import type { Batch } from './batch.ts';
import type { Item } from './item.ts';
import { KeyQueues } from './key-queues.ts';
import { abortWith, type Lane, type LaneWork, RecordQueue } from './lane.ts';
import { OffsetTracker } from './offset-tracker.ts';
import { recordBytes, type SourceRecord, type TopicPartition } from './record.ts';
import type { RecordBatch } from './source.ts';

export interface KeyedLaneOptions<E> {
  /** Items with the same key are delivered in log order; undefined means no order for this item. */
  keyOf(event: E, record: SourceRecord): string | undefined;
  /** Records decoded and not yet below the watermark, at most; bounds the gap that a slow key can make. */
  readonly windowItems: number;
}

/**
 * A lane that keeps the order of each key and delivers different keys at the same time. Batches carry no span; the
 * position is the contiguous low watermark of what is complete.
 */
export class KeyedLane<E> implements Lane {
  readonly #work: LaneWork<E>;
  readonly #options: KeyedLaneOptions<E>;
  readonly #queue = new RecordQueue();
  readonly #keys = new KeyQueues<Item<E>>();
  readonly #tracker: OffsetTracker;
  /** What is decoded and not complete, by offset; the first entry is the oldest. */
  readonly #pending = new Map<bigint, { readonly timestampMs: number; readonly bytes: number }>();
  #pendingBytes = 0;
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  #readNext: bigint;
  #closing = false;
  #finishing = false;
  #wake = deferred();

  constructor(work: LaneWork<E>, options: KeyedLaneOptions<E>) {
    this.#work = work;
    this.#options = options;
    this.#tracker = new OffsetTracker(work.readFrom);
    this.#readNext = work.readFrom;
    this.#loop = this.#run();
  }

  get partition(): TopicPartition {
    return this.#work.partition;
  }

  get queuedRecords(): number {
    return this.#queue.length + this.#tracker.pending;
  }

  get queuedBytes(): number {
    return this.#queue.bytes + this.#pendingBytes;
  }

  get position(): bigint {
    return this.#tracker.watermark;
  }

  get oldestPendingMs(): number | undefined {
    return this.#pending.values().next().value?.timestampMs ?? this.#queue.peek()?.timestampMs;
  }

  offer(read: RecordBatch): void {
    if (this.#closing || this.#finishing || read.from !== this.#readNext) return;
    this.#readNext = read.next;
    for (const record of read.records) this.#queue.push(record);
    this.#wake.resolve();
  }

  async finish(): Promise<void> {
    this.#finishing = true;
    this.#wake.resolve();
    await this.#loop;
    await Promise.all(this.#running);
  }

  async close(deadline: AbortSignal): Promise<void> {
    this.#closing = true;
    this.#queue.clear();
    this.#wake.resolve();
    const disconnect = abortWith(this.#abort, deadline);
    await this.#loop;
    await Promise.all(this.#running);
    disconnect();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        await this.#untilReady();
        if (this.#closing || this.#exhausted) return;
        const endTurn = await this.#work.turn(this.#abort.signal);
        this.#start(endTurn);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #untilReady(): Promise<void> {
    for (;;) {
      this.#fillWindow();
      if (this.#closing || this.#keys.hasReady || this.#exhausted) return;
      this.#wake = deferred();
      await this.#wake.promise;
    }
  }

  /** Told to finish, and nothing is left to begin. */
  get #exhausted(): boolean {
    return this.#finishing && this.#queue.length === 0 && this.#keys.isEmpty;
  }

  #fillWindow(): void {
    while (this.#tracker.pending < this.#options.windowItems) {
      const record = this.#queue.shift();
      if (record === undefined) break;
      this.#tracker.begin(record.offset);
      const bytes = recordBytes(record);
      this.#pending.set(record.offset, { timestampMs: record.timestampMs, bytes });
      this.#pendingBytes += bytes;
      const item = this.#work.decode(record);
      this.#keys.push(this.#keyOf(item), item);
    }
  }

  #keyOf(item: Item<E>): string | undefined {
    return item.fate === 'deliver' ? this.#options.keyOf(item.event, item.record) : undefined;
  }

  #start(endTurn: () => void): void {
    const { batchBytes } = this.#work;
    const weigh = (item: Item<E>) => recordBytes(item.record);
    const taken = this.#closing ? [] : this.#keys.take(this.#work.batchItems(), batchBytes, weigh);
    if (taken.length === 0) {
      endTurn();
      return;
    }
    this.#work.taken(taken.length);
    const delivery = this.#deliver(taken).finally(() => {
      endTurn();
      this.#running.delete(delivery);
      this.#wake.resolve();
    });
    this.#running.add(delivery);
  }

  async #deliver(items: readonly Item<E>[]): Promise<void> {
    const batch: Batch<E> = { partition: this.partition, items, span: undefined };
    try {
      await this.#work.deliver(batch, this.#abort.signal);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#complete(items);
  }

  #complete(items: readonly Item<E>[]): void {
    const before = this.#tracker.watermark;
    for (const item of items) {
      this.#pendingBytes -= this.#pending.get(item.record.offset)?.bytes ?? 0;
      this.#pending.delete(item.record.offset);
      this.#tracker.complete(item.record.offset);
    }
    this.#keys.release(items.map(item => this.#keyOf(item)));
    if (this.#tracker.watermark > before) this.#work.advanced(this.#tracker.watermark);
  }

  #fail(error: unknown): void {
    const first = !this.#closing;
    this.#closing = true;
    this.#queue.clear();
    this.#wake.resolve();
    if (!first || this.#abort.signal.aborted) return;
    this.#work.failed(error);
  }
}
