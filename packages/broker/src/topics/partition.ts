import {
  type Checkpoint,
  type RecoveredLog,
  saveCheckpoint,
  saveProducers,
} from '../storage/log-recovery.ts';
import type { LogEnvironment, PartitionLog } from '../storage/partition-log.ts';
import { type AbortedTxn, concernsProducer, type ProducerStates } from '../storage/producer-states.ts';
import {
  type BatchHeader,
  encodeMarker,
  isTransactional,
  readBatchHeader,
  stampAppendTime,
} from '../storage/record-batch.ts';
import { ProtocolError } from '../wire/error-codes.ts';
import { type BatchRules, checkBatch, checkKeys } from './batch-check.ts';
import type { TopicSettings } from './topic-config.ts';

/** Where an append went. */
export interface Appended {
  readonly baseOffset: number;
  /** The broker's time when the topic says LogAppendTime, otherwise −1. */
  readonly logAppendTimeMs: number;
  /** Resolves at the acknowledgement point of the durability policy. */
  readonly written: Promise<void>;
}

export interface AppendOptions extends BatchRules {
  readonly nowMs: number;
  /** True when the coordinator knows this partition as part of the producer's open transaction. */
  readonly inTransaction: (producer: BatchHeader) => boolean;
}

/** What decides whether an append still fits the active segment. */
interface AppendSize {
  readonly bytes: number;
  readonly nowMs: number;
  readonly settings: TopicSettings;
}

interface Turn {
  readonly size: AppendSize;
  readonly run: () => void;
}

/** Told when a partition has more to read, or is gone. */
export type AdvanceListener = (bytes: number) => void;

/** One partition: its log, its producers, and who waits for its next record. */
export class Partition {
  readonly index: number;
  readonly log: PartitionLog;
  readonly producers: ProducerStates;
  /** Compaction has been through everything below; forgotten at a restart, which costs one more pass. */
  compactedBelow = 0;
  readonly #env: LogEnvironment;
  #checkpoint: Checkpoint;
  #undos: (() => void)[] = [];
  #turns: Turn[] = [];
  #keyChecks: Promise<void> = Promise.resolve();
  #rolling: Promise<void> | undefined;
  #background: Promise<void> = Promise.resolve();
  #segmentStartedMs: number | undefined;
  #deleted = false;
  readonly #listeners = new Set<AdvanceListener>();

  constructor(env: LogEnvironment, index: number, recovered: RecoveredLog) {
    this.#env = env;
    this.index = index;
    this.log = recovered.log;
    this.producers = recovered.producers;
    this.#checkpoint = recovered.checkpoint;
    this.log.onAdvanced = bytes => this.#notify(bytes);
  }

  get isDeleted(): boolean {
    return this.#deleted;
  }

  get leaderEpochs(): Checkpoint['leaderEpochs'] {
    return this.#checkpoint.leaderEpochs;
  }

  /** Readers of committed data stop here: the first record of the oldest open transaction (KIP-98). */
  get lastStableOffset(): number {
    const open = this.producers.firstOpenOffset();
    return open === undefined ? this.log.highWatermark : Math.min(open, this.log.highWatermark);
  }

  /** Calls the listener after every advance until the returned function is called. */
  onAdvance(listener: AdvanceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Aborted transactions a reader of [from, to) must skip. */
  abortedBetween(from: number, to: number): AbortedTxn[] {
    return this.producers.abortedBetween(from, to);
  }

  /**
   * Appends what one client sent for this partition; the batch's records are not looked at. What Kafka refuses is
   * thrown as a ProtocolError, at once or through the promise.
   */
  append(records: Buffer, options: AppendOptions): Promise<Appended> {
    const header = checkBatch(records, options);
    if (!options.settings.compacts) return this.#place(records, header, options);
    // One after another, because looking into compressed records takes its time and must not change the order.
    const checked = this.#keyChecks.then(() => checkKeys(records));
    this.#keyChecks = checked.catch(() => {});
    return checked.then(() => this.#place(records, header, options));
  }

  #place(records: Buffer, header: BatchHeader, options: AppendOptions): Promise<Appended> {
    return this.#takeTurn({ bytes: header.size, ...options }, () => {
      if (this.#deleted) throw new ProtocolError('unknownTopicOrPartition');
      const duplicateOf = this.#checkProducer(header, options);
      if (duplicateOf !== null) {
        return {
          baseOffset: duplicateOf,
          logAppendTimeMs: -1,
          written: this.#firstCopy(header, duplicateOf),
        };
      }
      const logAppendTimeMs = options.settings.appendTime ? options.nowMs : -1;
      if (logAppendTimeMs !== -1) stampAppendTime(records, logAppendTimeMs);
      return { ...this.#put(records), logAppendTimeMs };
    });
  }

  /** Ends the producer's transaction in this partition; resolves when the marker is written. */
  async appendMarker(
    producer: { readonly producerId: number; readonly producerEpoch: number },
    commit: boolean,
    options: { readonly nowMs: number; readonly settings: TopicSettings },
  ): Promise<void> {
    const marker = encodeMarker(producer, { commit, coordinatorEpoch: 0 }, options.nowMs);
    const { written } = await this.#takeTurn({ bytes: marker.length, ...options }, () =>
      this.#deleted ? { written: Promise.resolve() } : this.#put(marker, { commit }),
    );
    await written;
  }

  /** Removes everything below the offset from the readers' view; whole segments are deleted. */
  async deleteRecords(before: number): Promise<void> {
    const logStartOffset = Math.max(before, this.log.logStartOffset);
    await this.#save({ ...this.#checkpoint, logStartOffset });
    await this.log.advanceStart(logStartOffset);
    this.producers.prune(logStartOffset, 0);
  }

  /** Starts a new segment unless the active one is empty. Appends wait meanwhile. */
  roll(): Promise<void> {
    this.#rolling ??= this.#rollNow().finally(() => {
      this.#rolling = undefined;
      this.#runTurns();
    });
    return this.#rolling;
  }

  /** Waits for writes, then leaves everything on disk so that the next start reads only snapshots. */
  async close(): Promise<void> {
    await this.#rolling;
    await this.log.drained();
    await this.#background;
    try {
      if (this.log.segments.length > 0) {
        await saveProducers(this.#env, this.log.folder, this.log.highWatermark, this.producers.dump());
      }
    } finally {
      await this.log.close();
    }
  }

  /** The topic was deleted: readers wake up and find that out. */
  async markDeleted(): Promise<void> {
    this.#deleted = true;
    this.#notify(0);
    await this.log.drained();
    await this.#background;
    this.log.abandon();
  }

  /** Waits for the first copy of a batch that came again. It may be on its way to the disk and fail; then both have. */
  async #firstCopy(header: BatchHeader, baseOffset: number): Promise<void> {
    if (this.log.highWatermark > baseOffset) return;
    await this.log.drained();
    const verdict = this.producers.check(header);
    const isThere = verdict.kind === 'duplicate' && verdict.baseOffset === baseOffset;
    if (!isThere)
      throw new ProtocolError('kafkaStorageError', 'the first copy of the batch could not be written');
  }

  #checkProducer(header: BatchHeader, options: AppendOptions): number | null {
    const transactional = isTransactional(header.attributes);
    if (header.producerId < 0) {
      if (transactional)
        throw new ProtocolError('invalidRecord', 'a transactional batch needs a producer id');
      return null;
    }
    const verdict = this.producers.check(header);
    if (verdict.kind === 'duplicate') return verdict.baseOffset;
    if (verdict.kind === 'refuse') throw ProtocolError.ofCode(verdict.errorCode);
    if (transactional && !options.inTransaction(header)) throw new ProtocolError('invalidTxnState');
    return null;
  }

  #put(batch: Buffer, marker?: { readonly commit: boolean }): { baseOffset: number; written: Promise<void> } {
    const placed = this.log.append(batch);
    const header = readBatchHeader(batch);
    const undo = concernsProducer(header) ? this.producers.apply(header, marker) : () => {};
    this.#undos.push(undo);
    placed.written.then(
      () => this.#undos.shift(),
      () => {
        // All that is under way fails together; the newest is undone first.
        for (const undoOne of this.#undos.splice(0).toReversed()) undoOne();
      },
    );
    return placed;
  }

  /** Appends happen in the order they came, at once unless a new segment must be started first. */
  #takeTurn<T>(size: AppendSize, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      this.#turns.push({ size, run });
      if (!this.#rolling) this.#runTurns();
    });
  }

  #runTurns(): void {
    for (let turn = this.#turns[0]; turn; turn = this.#turns[0]) {
      if (this.#mustRoll(turn.size)) {
        this.#segmentStartedMs = turn.size.nowMs;
        this.roll().catch(() => {});
        return;
      }
      this.#turns.shift();
      turn.run();
    }
  }

  #mustRoll({ bytes, settings, nowMs }: AppendSize): boolean {
    this.#segmentStartedMs ??= nowMs;
    const active = this.#queuedActiveBytes();
    if (active === 0) return false;
    return active + bytes > settings.segmentBytes || nowMs - this.#segmentStartedMs >= settings.segmentMs;
  }

  /** What the active segment will hold when everything queued is written. */
  #queuedActiveBytes(): number {
    return this.log.activeBytes + this.log.queuedBytes;
  }

  async #rollNow(): Promise<void> {
    await this.log.drained();
    const offset = this.log.nextOffset;
    const dump = this.producers.dump();
    const { sealed } = await this.log.roll();
    this.#background = Promise.all([this.#background, sealed])
      .then(() => saveProducers(this.#env, this.log.folder, offset, dump))
      .catch((error: unknown) =>
        this.#env.warn('a closed segment could not be sealed; the next start will walk it', {
          folder: this.log.folder,
          error,
        }),
      );
  }

  async #save(checkpoint: Checkpoint): Promise<void> {
    await saveCheckpoint(this.#env, this.log.folder, checkpoint);
    this.#checkpoint = checkpoint;
  }

  #notify(bytes: number): void {
    for (const listener of this.#listeners) listener(bytes);
  }
}
