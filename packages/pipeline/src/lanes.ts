import { type BackoffPolicy, backoffDelayMs, type Clock } from '@tidemark/kernel';
import type { Batch } from './batch.ts';
import type { BatchLimit } from './batch-limit.ts';
import type { PipelineBounds } from './bounds.ts';
import { Committer } from './committer.ts';
import { Gate } from './gate.ts';
import { type Decoder, decodeRecord } from './item.ts';
import { KeyedLane } from './keyed-lane.ts';
import type { Lane, LaneWork } from './lane.ts';
import { countBatch, type Ledger } from './ledger.ts';
import { PartitionLane } from './partition-lane.ts';
import type { PipelineObserver } from './pipeline-observer.ts';
import { partitionKey, type SourceRecord, type TopicPartition } from './record.ts';
import type { Sink } from './sink.ts';
import { Slots } from './slots.ts';
import type { AssignmentListener, Position, RecordBatch, Source } from './source.ts';

/**
 * What is delivered one after the other. `partition`: everything of a partition, with positions in the sink's
 * transaction. `key`: records with the same key, different keys at the same time; or events with the same key by a
 * function. `none`: nothing.
 */
export type OrderUnit<E> = 'partition' | 'key' | 'none' | { readonly key: (event: E) => string };

export interface LanesOptions<E> {
  readonly source: Source;
  readonly decode: Decoder<E>;
  readonly sink: Sink<E>;
  readonly order: OrderUnit<E>;
  readonly bounds: PipelineBounds;
  readonly batchLimit: BatchLimit;
  readonly ledger: Ledger;
  readonly observer: PipelineObserver<E>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A partition that is ours. */
interface Holding {
  readonly partition: TopicPartition;
  /** Aborts when the partition goes, so that nothing is opened for it any more. */
  readonly gone: AbortController;
  /** Undefined while the sink is being opened. */
  lane: Lane | undefined;
  /** The source does not read it because its queue is full. */
  full: boolean;
}

const openBackoff: BackoffPolicy = { baseMs: 200, capMs: 5000 };
const commitIntervalMs = 250;

/** The lanes of the partitions that a pipeline owns, and the hand-over of partitions between owners. */
export class Lanes<E> implements AssignmentListener {
  readonly gate = new Gate();
  readonly slots: Slots;
  readonly #options: LanesOptions<E>;
  readonly #committer: Committer;
  readonly #holdings = new Map<string, Holding>();
  #everAssigned = false;

  constructor(options: LanesOptions<E>) {
    this.#options = options;
    this.slots = new Slots(options.bounds.concurrency);
    this.#committer = new Committer({
      commit: positions => options.source.commit(positions),
      clock: options.clock,
      intervalMs: commitIntervalMs,
      onFailure: error => options.observer.troubled?.('commit', error),
    });
  }

  get everAssigned(): boolean {
    return this.#everAssigned;
  }

  /** Some partition waits for its sink to open. */
  get opening(): boolean {
    return this.#holdings.values().some(holding => holding.lane === undefined);
  }

  status() {
    const lanes = [...this.#holdings.values()].flatMap(({ lane }) => lane ?? []);
    const pending = lanes.flatMap(lane => lane.oldestPendingMs ?? []);
    return {
      partitions: lanes.map(({ partition, position }) => ({
        topic: partition.topic,
        partition: partition.partition,
        nextOffset: position,
        counts: this.#options.ledger.of(partition),
      })),
      deliveries: this.slots.taken,
      queuedRecords: lanes.reduce((sum, lane) => sum + lane.queuedRecords, 0),
      queuedBytes: lanes.reduce((sum, lane) => sum + lane.queuedBytes, 0),
      oldestPendingMs: pending.length === 0 ? undefined : Math.min(...pending),
    };
  }

  offer(read: RecordBatch): void {
    const holding = this.#holdings.get(partitionKey(read.partition));
    if (!holding?.lane) return;
    holding.lane.offer(read);
    this.#regulate(holding);
  }

  async assigned(partitions: readonly Position[], signal: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
    this.#everAssigned = true;
    this.#options.observer.assigned?.(partitions);
    const starts = new Map<string, bigint>();
    await Promise.all(
      partitions.map(async position => {
        const holding = this.#hold({ topic: position.topic, partition: position.partition });
        const resumeAt = await this.#open(position, AbortSignal.any([holding.gone.signal, signal]));
        if (resumeAt === undefined || holding.gone.signal.aborted) return;
        holding.lane = this.#createLane(holding, resumeAt, resumeAt);
        starts.set(partitionKey(position), resumeAt);
      }),
    );
    return starts;
  }

  async revoked(partitions: readonly TopicPartition[], deadline: AbortSignal): Promise<void> {
    this.#options.observer.revoked?.(partitions);
    await Promise.all(partitions.map(partition => this.#release(partition, deadline)));
  }

  async jumped(position: Position): Promise<void> {
    const holding = this.#holdings.get(partitionKey(position));
    const lane = holding?.lane;
    if (!holding || !lane) return;
    await lane.finish();
    if (holding.lane !== lane || holding.gone.signal.aborted) return;
    holding.lane = this.#createLane(holding, lane.position, position.nextOffset);
  }

  /** Ends everything; what the source has not revoked by now is abandoned at the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    const partitions = [...this.#holdings.values()].map(holding => holding.partition);
    await Promise.all(partitions.map(partition => this.#release(partition, deadline)));
    this.#committer.stop();
  }

  #hold(partition: TopicPartition): Holding {
    const holding: Holding = { partition, gone: new AbortController(), lane: undefined, full: false };
    this.#holdings.set(partitionKey(partition), holding);
    this.#committer.own(partition);
    return holding;
  }

  async #release(partition: TopicPartition, deadline: AbortSignal): Promise<void> {
    const holding = this.#holdings.get(partitionKey(partition));
    if (!holding) return;
    holding.gone.abort();
    await holding.lane?.close(deadline);
    await this.#committer.flush([partition]);
    this.#committer.forget(partition);
    this.#holdings.delete(partitionKey(partition));
    await this.#options.sink.close(partition);
  }

  /** Opens the sink for a partition, however long that takes; undefined when the partition went meanwhile. */
  async #open(position: Position, gone: AbortSignal): Promise<bigint | undefined> {
    const { sink, clock, random, observer } = this.#options;
    for (let attempt = 0; !gone.aborted; attempt += 1) {
      try {
        return await sink.open(position, gone);
      } catch (error) {
        if (gone.aborted) break;
        observer.troubled?.('open', error);
        await clock.sleep(backoffDelayMs(openBackoff, attempt, random), gone).catch(() => {});
      }
    }
    return undefined;
  }

  #createLane(holding: Holding, position: bigint, readFrom: bigint): Lane {
    const { order, decode, batchLimit, bounds, clock, observer, ledger } = this.#options;
    const work: LaneWork<E> = {
      partition: holding.partition,
      position,
      readFrom,
      decode: record => decodeRecord(decode, record, clock.now()),
      deliver: (batch, signal) => this.#deliver(batch, signal),
      turn: signal => this.#turn(signal),
      batchItems: () => batchLimit.current,
      batchBytes: bounds.batchBytes,
      taken: records => {
        ledger.take(records);
        observer.taken?.(holding.partition, records);
        this.#regulate(holding);
      },
      advanced: nextOffset => {
        this.#committer.advance(holding.partition, nextOffset);
        this.#regulate(holding);
      },
      failed: error => void this.#reopen(holding, error),
    };
    if (order === 'partition') return new PartitionLane(work);
    return new KeyedLane(work, { keyOf: keyFunction(order), windowItems: bounds.queueItems });
  }

  async #turn(signal: AbortSignal): Promise<() => void> {
    await this.gate.pass(signal);
    return this.slots.acquire(signal);
  }

  async #deliver(batch: Batch<E>, signal: AbortSignal): Promise<void> {
    const { sink, ledger, batchLimit } = this.#options;
    const records = batch.items.length;
    ledger.begin(records);
    try {
      const receipt = await sink.deliver(batch, signal);
      ledger.settle(batch.partition, records, countBatch(batch, receipt));
    } catch (error) {
      ledger.abandon(records);
      throw error;
    }
    if (records >= batchLimit.current) batchLimit.grow();
  }

  /** A lane failed: somebody else wrote for the partition, or a defect. While it is still ours, begin anew. */
  async #reopen(holding: Holding, error: unknown): Promise<void> {
    const { clock, random, source, observer } = this.#options;
    const failed = holding.lane;
    const gone = holding.gone.signal;
    observer.laneFailed?.(holding.partition, error);
    holding.lane = undefined;
    await failed?.close(gone);
    await clock.sleep(backoffDelayMs(openBackoff, 1, random), gone).catch(() => {});
    if (failed === undefined) return;
    const resumeAt = await this.#open({ ...holding.partition, nextOffset: failed.position }, gone);
    if (resumeAt === undefined || gone.aborted) return;
    holding.lane = this.#createLane(holding, resumeAt, resumeAt);
    source.seek({ ...holding.partition, nextOffset: resumeAt });
    this.#regulate(holding);
  }

  /** Pauses reading a partition whose queue is full, and resumes it at half. */
  #regulate(holding: Holding): void {
    const { bounds, source } = this.#options;
    const { queuedRecords = 0, queuedBytes = 0 } = holding.lane ?? {};
    const bytesMax = bounds.queueBytes / Math.max(1, this.#holdings.size);
    const fill = Math.max(queuedRecords / bounds.queueItems, queuedBytes / bytesMax);
    if (!holding.full && fill >= 1) {
      holding.full = true;
      source.pause(holding.partition);
    } else if (holding.full && fill < 0.5) {
      holding.full = false;
      source.resume(holding.partition);
    }
  }
}

function keyFunction<E>(
  order: Exclude<OrderUnit<E>, 'partition'>,
): (event: E, record: SourceRecord) => string | undefined {
  if (order === 'none') return () => undefined;
  if (order === 'key') return (_event, record) => record.key?.toString('latin1');
  return order.key;
}
