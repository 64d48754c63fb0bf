import {
  type Batch,
  countBatch,
  DeliveryError,
  deliverableItems,
  everythingNew,
  type LedgerCounts,
  type ParkedKeyStore,
  type ParkingStep,
  type Position,
  type Receipt,
  type Sink,
} from '@tidemark/pipeline';
import type { Chance } from './chance.ts';
import type { SimEvent } from './sim-event.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A row of the positions. */
export interface SimPosition {
  next: bigint;
  epoch: number;
  counts: LedgerCounts;
}

/** A row of the parked keys. */
export interface SimParkedKey {
  readonly key: string;
  readonly parkedAt: bigint;
  failedAt: bigint;
  failedPass: bigint;
  lastAt: bigint;
  reletteredAt: bigint;
  settledThrough: bigint;
  sentSeq: bigint;
  returnedSeq: bigint;
}

/** An event that took effect. */
export interface SimEffect {
  readonly id: number;
  readonly key: string;
  readonly partition: number;
  readonly offset: bigint;
}

const none: LedgerCounts = { read: 0, delivered: 0, duplicate: 0, filtered: 0, deadLettered: 0 };

/** A database with transactions: what is committed stays, whatever happens to whoever wrote it. */
export class SimDatabase {
  readonly effects: SimEffect[] = [];
  readonly positions = new Map<number, SimPosition>();
  /** By partition, then by key. */
  readonly parked = new Map<number, Map<string, SimParkedKey>>();
  readonly #processed = new Set<number>();
  /** silent: nobody gets an answer. brownout: everything fails in a way that does not look like an outage. */
  outage: 'none' | 'silent' | 'brownout' = 'none';
  /** Probability of each kind of trouble in a delivery. */
  trouble = { transient: 0, lostAnswer: 0, slow: 0 };

  position(partition: number): bigint {
    return this.positions.get(partition)?.next ?? 0n;
  }

  /** Takes ownership as `Positions.own` does. */
  own({ partition, nextOffset }: Position): SimPosition {
    const row = this.positions.get(partition) ?? { next: nextOffset, epoch: 0, counts: none };
    row.epoch += 1;
    this.positions.set(partition, row);
    return row;
  }

  parkedRow(partition: number, key: string): SimParkedKey | undefined {
    return this.parked.get(partition)?.get(key);
  }

  releaseIfDone(partition: number, key: string): void {
    const row = this.parkedRow(partition, key);
    if (row && row.settledThrough >= row.lastAt && row.returnedSeq >= row.sentSeq) {
      this.parked.get(partition)?.delete(key);
    }
  }

  /** One transaction: checks owner and position, then writes effects, ids, position and counts. */
  transact(batch: Batch<SimEvent>, epoch: number): Receipt {
    const { span, partition } = batch;
    const row = this.positions.get(partition.partition);
    if (!row || !span || row.epoch !== epoch) throw new DeliveryError('fenced', 'another owner');
    if (row.next === span.to) return everythingNew;
    if (row.next < span.from || row.next > span.to) throw new DeliveryError('fenced', 'another position');
    const rest = { ...batch, items: batch.items.filter(item => item.record.offset >= row.next) };
    const duplicates = new Set<bigint>();
    for (const { event, record } of deliverableItems(rest)) {
      if (this.#processed.has(event.id)) duplicates.add(record.offset);
      else
        this.effects.push({
          id: event.id,
          key: event.key,
          partition: record.partition,
          offset: record.offset,
        });
      this.#processed.add(event.id);
    }
    const from = row.next;
    this.#park(partition.partition, batch.parking?.filter(({ at }) => at >= from) ?? []);
    row.next = span.to;
    row.counts = add(row.counts, countBatch(rest, { duplicates }));
    return { duplicates };
  }

  #park(partition: number, steps: readonly ParkingStep[]): void {
    const rows = this.parked.get(partition) ?? new Map<string, SimParkedKey>();
    this.parked.set(partition, rows);
    for (const { key, at, step, replay } of steps) {
      const known = rows.get(key);
      if (!known && step === 'passed') continue;
      const row = known ?? newParkedKey(key, at);
      rows.set(key, row);
      if (replay && replay.seq > row.returnedSeq) row.returnedSeq = replay.seq;
      if (step === 'passed') continue;
      row.lastAt = at;
      if (replay) row.reletteredAt = at;
      if (step === 'held') continue;
      row.failedAt = at;
      if (replay && replay.pass > row.failedPass) row.failedPass = replay.pass;
    }
    for (const key of new Set(steps.map(step => step.key))) this.releaseIfDone(partition, key);
  }
}

function newParkedKey(key: string, at: bigint): SimParkedKey {
  return {
    key,
    parkedAt: at,
    failedAt: at,
    lastAt: at,
    failedPass: 0n,
    reletteredAt: -1n,
    settledThrough: -1n,
    sentSeq: 0n,
    returnedSeq: 0n,
  };
}

function add(a: LedgerCounts, b: LedgerCounts): LedgerCounts {
  return {
    read: a.read + b.read,
    delivered: a.delivered + b.delivered,
    duplicate: a.duplicate + b.duplicate,
    filtered: a.filtered + b.filtered,
    deadLettered: a.deadLettered + b.deadLettered,
  };
}

const neverAborts = new AbortController().signal;

/** One process's connection to the database. */
export class SimSink implements Sink<SimEvent> {
  readonly keepsPositions = true;
  readonly #database: SimDatabase;
  readonly #clock: VirtualClock;
  readonly #chance: Chance;
  readonly #epochs = new Map<number, number>();
  #dead = false;

  constructor(database: SimDatabase, clock: VirtualClock, chance: Chance) {
    this.#database = database;
    this.#clock = clock;
    this.#chance = chance;
  }

  die(): void {
    this.#dead = true;
  }

  async probe(): Promise<void> {
    await this.#clock.sleep(1);
    if (this.#database.outage !== 'none') throw new DeliveryError('down', 'no answer');
  }

  async open(position: Position, signal: AbortSignal): Promise<bigint> {
    await this.#travel(signal);
    const { epoch, next } = this.#database.own(position);
    this.#epochs.set(position.partition, epoch);
    await this.#travel(signal);
    return next;
  }

  async deliver(batch: Batch<SimEvent>, signal: AbortSignal): Promise<Receipt> {
    await this.#travel(signal);
    await this.#work(batch, signal);
    const receipt = this.#database.transact(batch, this.#epochs.get(batch.partition.partition) ?? -1);
    if (this.#chance.hits(this.#database.trouble.lostAnswer)) {
      throw new DeliveryError('down', 'the connection was lost during COMMIT');
    }
    await this.#travel(signal);
    return receipt;
  }

  async close(): Promise<void> {}

  /** The parked keys, read over the same connection. */
  get parkedKeys(): ParkedKeyStore {
    return {
      load: async ({ partition }) => {
        await this.#travel(neverAborts);
        return new Set(this.#database.parked.get(partition)?.keys());
      },
      read: async ({ partition }, keys) => {
        await this.#travel(neverAborts);
        const found = keys.flatMap(key => this.#database.parkedRow(partition, key) ?? []);
        return found.map(row => ({ ...row }));
      },
    };
  }

  /** Everything that can go wrong before a commit. */
  async #work(batch: Batch<SimEvent>, signal: AbortSignal): Promise<void> {
    const { transient, slow } = this.#database.trouble;
    const kinds = new Set(deliverableItems(batch).map(item => item.event.kind));
    if (this.#chance.hits(slow)) await this.#clock.sleep(this.#chance.between(100, 8000), signal);
    if (this.#chance.hits(slow / 2)) throw new DeliveryError('overloaded', 'statement timeout');
    if (this.#chance.hits(transient)) throw new DeliveryError('transient', 'deadlock');
    if (kinds.has('cursed')) throw new DeliveryError('transient', 'cursed');
    if (kinds.has('refused')) throw new DeliveryError('permanent', 'constraint');
  }

  /** The way to the database or back. A dead process never arrives; a database that is down gives no answer. */
  async #travel(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#chance.between(0, 15), signal);
    if (this.#dead) await new Promise(() => {});
    if (this.#database.outage === 'silent') throw new DeliveryError('down', 'no answer');
    if (this.#database.outage === 'brownout') throw new DeliveryError('transient', 'something is wrong');
  }
}
