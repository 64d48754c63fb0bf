import { type Clock, TidemarkError } from '@tidemark/kernel';
import { BatchLimit } from './batch-limit.ts';
import { defaultBounds, type PipelineBounds } from './bounds.ts';
import type { BreakerState } from './breaker.ts';
import { composeSink, defaultSinkPolicy, type SinkPolicy } from './compose-sink.ts';
import type { DeadLetterPort } from './dead-letter.ts';
import type { Decoder } from './item.ts';
import { Lanes, type OrderUnit } from './lanes.ts';
import { Ledger, type LedgerCounts } from './ledger.ts';
import type { ParkingConfig } from './parking.ts';
import type { PipelineObserver } from './pipeline-observer.ts';
import { RateLimit } from './rate-limit.ts';
import { partitionKey } from './record.ts';
import type { Sink } from './sink.ts';
import type { Position, Source } from './source.ts';
import { type Stages, staged } from './stages.ts';

/**
 * A pipeline in a few lines: a source, a codec, what to check, leave out and change, and a sink. `In` is what the codec
 * makes, `E` what the sink takes; they are the same unless `transform` is given.
 */
export type PipelineConfig<E, In = E> = PipelineParts<E, In> & Stages<E, In>;

export interface PipelineParts<E, In> {
  readonly name: string;
  readonly source: Source;
  readonly decode: Decoder<In>;
  readonly sink: Sink<E>;
  readonly deadLetters: DeadLetterPort;
  /** Rejects while the sink as a whole is not well; asked before an event is given up. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** `partition` unless given: strictly in log order, with the position in the sink's transaction. */
  readonly order?: OrderUnit<E>;
  readonly bounds?: Partial<PipelineBounds>;
  readonly policy?: SinkPolicy;
  /**
   * Holds back what follows a dead-lettered event of the same key until the letter is dealt with. Needs the order
   * `partition` and a sink that keeps positions. Off unless given: then a dead letter's successors overtake it.
   */
  readonly parking?: ParkingConfig;
  /** Events a second, at most; unlimited unless given. */
  readonly eventsPerSec?: number;
  readonly observer?: PipelineObserver<E>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** waiting: the sink is down and the breaker holds deliveries back, or too many keys are parked. */
export type PipelineState = 'starting' | 'running' | 'paused' | 'waiting' | 'stopped';

export interface PipelineStatus {
  readonly name: string;
  readonly state: PipelineState;
  /** What is ours now, with the counts since the start. */
  readonly partitions: readonly (Position & { readonly counts: LedgerCounts })[];
  readonly counts: LedgerCounts;
  /** Records in deliveries that run now. */
  readonly inFlight: number;
  /** Deliveries that run now. */
  readonly deliveries: number;
  readonly queuedRecords: number;
  readonly queuedBytes: number;
  /** Must be 0. */
  readonly unaccounted: number;
  /** Timestamp of the oldest record read and not done, milliseconds since the epoch. */
  readonly oldestPendingMs: number | undefined;
}

/** A running pipeline: source → decode → order → deliver → commit. */
export class Pipeline<E, In = E> {
  readonly #config: PipelineConfig<E, In>;
  readonly #ledger = new Ledger();
  readonly #rate: RateLimit;
  readonly #lanes: Lanes<E>;
  #breaker: BreakerState = 'closed';
  /** Partitions that wait because too many of their keys are parked. */
  readonly #full = new Set<string>();
  #reading: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: PipelineConfig<E, In>) {
    checkParking(config);
    this.#config = config;
    const bounds = { ...defaultBounds, ...config.bounds };
    const batchLimit = new BatchLimit(bounds.batchItems);
    this.#rate = new RateLimit(config.eventsPerSec ?? Infinity, config.clock);
    this.#lanes = new Lanes({
      source: config.source,
      decode: staged<E, In>(config.decode, config),
      sink: this.#compose(batchLimit),
      order: config.order ?? 'partition',
      bounds,
      batchLimit,
      ledger: this.#ledger,
      observer: config.observer ?? {},
      clock: config.clock,
      random: config.random,
    });
  }

  /**
   * Works until `stop`. Rejects only when the source met something that no retry can mend, or with a defect; the
   * process had better end then.
   */
  run(): Promise<void> {
    if (this.#stopping)
      throw new TidemarkError('PIPELINE_STOPPED', `pipeline ${this.#config.name} was stopped`);
    this.#reading ??= this.#read();
    return this.#reading;
  }

  /** Drains, commits and leaves the group. What is not finished when the deadline aborts is abandoned whole. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  /** Begins no more deliveries. Reading goes on until the queues are full; the membership stays. */
  pause(): void {
    this.#lanes.gate.shut();
  }

  resume(): void {
    this.#lanes.gate.open();
  }

  /** Changes how many deliveries run at the same time. */
  setConcurrency(deliveries: number): void {
    this.#lanes.slots.resize(deliveries);
  }

  /** Changes the limit of events a second; Infinity lifts it. */
  setRate(eventsPerSec: number): void {
    this.#rate.eventsPerSec = eventsPerSec;
  }

  status(): PipelineStatus {
    return {
      name: this.#config.name,
      state: this.#state(),
      ...this.#lanes.status(),
      counts: this.#ledger.counts,
      inFlight: this.#ledger.inFlight,
      unaccounted: this.#ledger.unaccounted,
    };
  }

  #state(): PipelineState {
    if (this.#stopping || !this.#reading) return 'stopped';
    if (this.#lanes.gate.isShut) return 'paused';
    if (this.#breaker !== 'closed' || this.#lanes.opening || this.#full.size > 0) return 'waiting';
    return this.#lanes.everAssigned ? 'running' : 'starting';
  }

  async #read(): Promise<void> {
    for await (const read of this.#config.source.read(this.#lanes)) this.#lanes.offer(read);
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    if (!this.#reading) return;
    await this.#config.source.stop(deadline);
    await this.#lanes.stop(deadline);
    await this.#reading.catch(() => {});
  }

  #compose(batchLimit: BatchLimit): Sink<E> {
    const { name, sink, deadLetters, probe, policy, parking, observer = {}, clock, random } = this.#config;
    return composeSink({
      pipeline: name,
      sink,
      deadLetters: async (letters, signal) => {
        await deadLetters(letters, signal);
        observer.deadLettered?.(letters);
      },
      probe,
      policy: policy ?? defaultSinkPolicy,
      parking,
      rate: this.#rate,
      batchLimit,
      observer,
      onBreaker: state => {
        this.#breaker = state;
        observer.breaker?.(state);
      },
      onDeadLetterFailure: error => observer.troubled?.('dead letter', error),
      onParkingFull: (partition, full) => {
        if (full) this.#full.add(partitionKey(partition));
        else this.#full.delete(partitionKey(partition));
        observer.parkingFull?.(partition, full);
      },
      clock,
      random,
    });
  }
}

/** Parking is exact only where the parked keys and the position are stored together, and in order. */
function checkParking({
  name,
  parking,
  order = 'partition',
  sink,
}: Pick<PipelineParts<never, never>, 'name' | 'parking' | 'order' | 'sink'>): void {
  if (!parking || (order === 'partition' && sink.keepsPositions === true)) return;
  throw new TidemarkError('PIPELINE_PARKING', `pipeline ${name} cannot park keys`, {
    hint: 'Parking needs the order "partition" and a sink that keeps positions; leave one or the other out.',
  });
}
