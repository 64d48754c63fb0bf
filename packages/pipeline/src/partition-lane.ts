import { deferred } from '@tidemark/kernel';
import { abortWith, type Lane, type LaneWork, RecordQueue } from './lane.ts';
import { recordBytes, type SourceRecord, type TopicPartition } from './record.ts';
import type { RecordBatch } from './source.ts';

/**
 * A lane that delivers its partition strictly in log order: one batch at a time, each with the span it covers. This is
 * the order unit `partition`, and the one that lets a sink keep its position in the transaction of the effects.
 */
export class PartitionLane<E> implements Lane {
  readonly #work: LaneWork<E>;
  readonly #queue = new RecordQueue();
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  #position: bigint;
  #readNext: bigint;
  #inFlightSinceMs: number | undefined;
  #inFlightBytes = 0;
  #closing = false;
  #finishing = false;
  #wake = deferred();

  constructor(work: LaneWork<E>) {
    this.#work = work;
    this.#position = work.position;
    this.#readNext = work.readFrom;
    this.#loop = this.#run();
  }

  get partition(): TopicPartition {
    return this.#work.partition;
  }

  get queuedRecords(): number {
    return this.#queue.length;
  }

  get queuedBytes(): number {
    return this.#queue.bytes + this.#inFlightBytes;
  }

  get position(): bigint {
    return this.#position;
  }

  get oldestPendingMs(): number | undefined {
    return this.#inFlightSinceMs ?? this.#queue.peek()?.timestampMs;
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
  }

  async close(deadline: AbortSignal): Promise<void> {
    this.#closing = true;
    this.#queue.clear();
    this.#wake.resolve();
    const disconnect = abortWith(this.#abort, deadline);
    await this.#loop;
    disconnect();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        await this.#untilWork();
        if (this.#closing || this.#queue.length === 0) return;
        await this.#deliverNext();
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#work.failed(error);
      this.#closing = true;
      this.#queue.clear();
    }
  }

  async #untilWork(): Promise<void> {
    while (this.#queue.length === 0 && !this.#closing && !this.#finishing) {
      this.#wake = deferred();
      await this.#wake.promise;
    }
  }

  async #deliverNext(): Promise<void> {
    const { signal } = this.#abort;
    const endTurn = await this.#work.turn(signal);
    try {
      if (this.#closing) return;
      const records = this.#queue.take(this.#work.batchItems(), this.#work.batchBytes);
      this.#inFlightBytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
      this.#work.taken(records.length);
      await this.#deliver(records, signal);
    } finally {
      this.#inFlightSinceMs = undefined;
      this.#inFlightBytes = 0;
      endTurn();
    }
  }

  async #deliver(records: readonly SourceRecord[], signal: AbortSignal): Promise<void> {
    const last = records.at(-1);
    if (last === undefined) return;
    this.#inFlightSinceMs = records[0]?.timestampMs;
    const to = last.offset + 1n;
    const items = records.map(record => this.#work.decode(record));
    await this.#work.deliver(
      { partition: this.partition, items, span: { from: this.#position, to } },
      signal,
    );
    this.#position = to;
    this.#inFlightBytes = 0; // before `advanced`, where reading is resumed if there is room
    this.#work.advanced(to);
  }
}
