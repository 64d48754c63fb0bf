import { type BackoffPolicy, backoffDelayMs, type Clock } from '@tidemark/kernel';
import type { Batch } from './batch.ts';
import { type DeadLetterPort, deadLetterRejected } from './dead-letter.ts';
import type { Lettered } from './lettered.ts';
import { type ParkedKey, type ParkingRules, planParking } from './parked-key.ts';
import { partitionKey, type TopicPartition } from './record.ts';
import type { Receipt, Sink } from './sink.ts';

/**
 * Where the parked keys are kept. Written by the sink, in the transaction of the position that passes the parked event
 * (`Batch.parking`); released there as well, or by whoever deals with the dead letters. This is for reading.
 */
export interface ParkedKeyStore {
  /** All parked keys of a partition, at most `max` + 1. */
  load(partition: TopicPartition, max: number): Promise<ReadonlySet<string>>;
  /** How it stands with these keys; those that are missing are not parked any more. */
  read(partition: TopicPartition, keys: readonly string[]): Promise<readonly ParkedKey[]>;
}

/** Holds back what follows a dead-lettered event of the same key. Needs a sink that keeps positions. */
export interface ParkingConfig extends ParkingRules {
  readonly store: ParkedKeyStore;
  /**
   * Parked keys of one partition, at most; 10,000 unless given. With that many something is wrong with all of them, so an
   * event of another key that cannot take effect makes the partition wait, and the pipeline says so: until letters are
   * discarded, or it is started again with a higher bound. Nothing is lost meanwhile.
   */
  readonly keysMax?: number;
}

export interface ParkingOptions {
  readonly pipeline: string;
  readonly config: ParkingConfig;
  readonly deadLetters: DeadLetterPort;
  readonly lettered: Lettered;
  readonly backoff: BackoffPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  /** A partition has to wait because too many of its keys are parked, or goes on. */
  readonly onFull?: (partition: TopicPartition, full: boolean) => void;
  readonly onFailure?: (error: unknown) => void;
}

export const parkedKeysMaxDefault = 10_000;

/** What is remembered of a partition while it is ours. */
interface Memory {
  /** Every parked key, and some that have been released meanwhile: only we park, others may release. */
  keys: Set<string>;
}

/**
 * Keeps the order of a key whose event was dead-lettered: what follows it is dead-lettered as `parked`, in order, until the
 * letters are dealt with. Lies inside the bisection, so that a culprit found there parks its key before the rest of
 * its batch goes on. A batch without parked keys costs nothing.
 */
export function parking<E>(inner: Sink<E>, options: ParkingOptions): Sink<E> {
  const layer = new Parking(inner, options);
  return {
    async open(position, signal) {
      const resumeAt = await inner.open(position, signal);
      await layer.load(position);
      return resumeAt;
    },
    deliver: (batch, signal) => layer.deliver(batch, signal),
    async close(partition) {
      layer.forget(partition);
      await inner.close(partition);
    },
  };
}

class Parking<E> {
  readonly #inner: Sink<E>;
  readonly #options: ParkingOptions;
  readonly #keysMax: number;
  readonly #memories = new Map<string, Memory>();

  constructor(inner: Sink<E>, options: ParkingOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#keysMax = options.config.keysMax ?? parkedKeysMaxDefault;
  }

  async load({ topic, partition }: TopicPartition): Promise<void> {
    const keys = await this.#options.config.store.load({ topic, partition }, this.#keysMax);
    this.#memories.set(partitionKey({ topic, partition }), { keys: new Set(keys) });
  }

  forget(partition: TopicPartition): void {
    this.#options.lettered.forget(partition);
    this.#memories.delete(partitionKey(partition));
  }

  async deliver(batch: Batch<E>, signal: AbortSignal): Promise<Receipt> {
    const memory = this.#memoryOf(batch.partition);
    const concerned = this.#concernedKeys(batch, memory);
    if (concerned.length === 0) return this.#unkeyed(batch, signal);
    await this.#untilRoom(batch.partition, memory, concerned, signal);
    const { config, clock, pipeline, deadLetters } = this.#options;
    const rows = await this.#persist(signal, () => config.store.read(batch.partition, concerned));
    const parked = new Map(rows.map(row => [row.key, row]));
    const { batch: planned, steps } = planParking(batch, parked, config, clock.now());
    for (const key of concerned) {
      if (!parked.has(key)) memory.keys.delete(key);
    }
    const settled = await deadLetterRejected(planned, pipeline, deadLetters, signal);
    for (const { key, step } of steps) if (step !== 'passed') memory.keys.add(key);
    const receipt = await this.#inner.deliver({ ...settled, parking: steps }, signal);
    return this.#account(batch, planned, receipt);
  }

  /** Records without a key park nothing; what decoding rejected of them becomes letters all the same. */
  async #unkeyed(batch: Batch<E>, signal: AbortSignal): Promise<Receipt> {
    const { pipeline, deadLetters } = this.#options;
    const receipt = await this.#inner.deliver(
      await deadLetterRejected(batch, pipeline, deadLetters, signal),
      signal,
    );
    return this.#account(batch, batch, receipt);
  }

  /** Keys of the batch that are parked, or become so because an event of theirs was dead-lettered. */
  #concernedKeys(batch: Batch<E>, { keys }: Memory): string[] {
    const found = new Set<string>();
    for (const { record, fate } of batch.items) {
      const parks = fate === 'dead-lettered' || fate === 'rejected';
      if (keys.size === 0 && !parks) continue;
      const key = this.#options.config.keyOf(record);
      if (key !== undefined && (parks || keys.has(key))) found.add(key);
    }
    return [...found];
  }

  /**
   * Waits while the batch would park another key although there is no room. What belongs to parked keys goes on, since
   * only that can release them; one batch may go beyond the bound.
   */
  async #untilRoom(
    partition: TopicPartition,
    memory: Memory,
    concerned: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { config, clock, backoff, random, onFull } = this.#options;
    const mustWait = () => memory.keys.size >= this.#keysMax && concerned.some(key => !memory.keys.has(key));
    if (!mustWait()) return;
    let waits = false;
    for (let attempt = 0; ; attempt += 1) {
      memory.keys = new Set(await this.#persist(signal, () => config.store.load(partition, this.#keysMax)));
      if (!mustWait()) break;
      if (!waits) onFull?.(partition, true);
      waits = true;
      await clock.sleep(backoffDelayMs(backoff, attempt, random), signal);
    }
    if (waits) onFull?.(partition, false);
  }

  #account(batch: Batch<E>, planned: Batch<E>, receipt: Receipt): Receipt {
    const letters = planned.items.filter(({ fate }) => fate === 'rejected' || fate === 'dead-lettered');
    this.#options.lettered.passed(
      batch.partition,
      letters.map(({ record }) => record.offset),
    );
    const held = planned.items.flatMap((item, place) =>
      item === batch.items[place] ? [] : [item.record.offset],
    );
    return { ...receipt, deadLettered: new Set([...(receipt.deadLettered ?? []), ...held]) };
  }

  /** What cannot be read now is no event's fault, and no sink's: tried until it succeeds or the partition goes. */
  async #persist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { clock, backoff, random, onFailure } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        onFailure?.(error);
        await clock.sleep(backoffDelayMs(backoff, attempt, random), signal);
      }
    }
  }

  #memoryOf(partition: TopicPartition): Memory {
    const memory = this.#memories.get(partitionKey(partition));
    if (!memory) throw new TypeError(`the sink was not opened for ${partitionKey(partition)}`);
    return memory;
  }
}
