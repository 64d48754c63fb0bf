import { type DeadLetter, Pipeline } from '@tidemark/pipeline';
import { Chance } from './chance.ts';
import { SimCluster } from './sim-cluster.ts';
import { SimDatabase, SimSink } from './sim-database.ts';
import { SimDesk } from './sim-desk.ts';
import { decodeSimEvent, type SimEvent, type SimKind, simEventOf, simParkingRules } from './sim-event.ts';
import { SimSource } from './sim-source.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A consumer process. */
interface Process {
  readonly source: SimSource;
  readonly sink: SimSink;
  readonly pipeline: Pipeline<SimEvent>;
}

/** While faults happen, milliseconds of virtual time. */
const stormMs = 60_000;
/** By when everything must be done. */
const endMs = 900_000;
const sessionTimeoutMs = 5000;
/** How long after an event its repetition comes. */
const repeatMs = 500;
const queueItems = 60;
/** What one read of 40 records weighs at most, bytes. */
const pieceBytesMax = 40 * 500;

/** One run: events, consumers and faults, all from one seed, and everything that a checker needs to judge it. */
export class World {
  readonly chance: Chance;
  readonly clock = new VirtualClock();
  readonly database = new SimDatabase();
  readonly cluster: SimCluster;
  readonly produced: SimEvent[] = [];
  readonly deadLetters: DeadLetter[] = [];
  /** Deals with dead letters, in worlds whose pipelines park keys. */
  readonly desk: SimDesk | undefined;
  /** Promises that were seen to be broken while it ran. */
  readonly violations: string[] = [];
  readonly #processes = new Set<Process>();
  readonly #queueBytes: number;

  constructor(seed: number) {
    this.chance = new Chance(seed);
    this.desk = this.chance.hits(0.6) ? this.#openDesk() : undefined;
    this.#queueBytes = this.chance.pick([2000, 10_000, 1e9]);
    this.cluster = new SimCluster(this.chance.between(1, 4), position => {
      if (position.nextOffset > this.database.position(position.partition)) {
        this.violations.push(
          `committed ${position.nextOffset} of partition ${position.partition} before it was done`,
        );
      }
    });
  }

  /** Runs the storm and the calm after it, until everything is done. */
  async run(): Promise<void> {
    const { chance } = this;
    for (let count = chance.between(1, 3); count > 0; count -= 1) this.#startProcess();
    this.#scheduleEvents(chance.between(30, 250));
    this.#scheduleFaults(chance.between(0, 12));
    this.database.trouble = {
      transient: chance.pick([0, 0.05, 0.1]),
      lostAnswer: chance.pick([0, 0.05, 0.2]),
      slow: chance.pick([0, 0.05, 0.1]),
    };
    this.clock.at(stormMs, () => this.#calm());
    this.#workAtDesk();
    await this.clock.run(() => this.#finished(), endMs);
    await this.#stopAll();
  }

  #startProcess(): void {
    const { clock, chance } = this;
    const source = new SimSource(this.cluster, clock, chance);
    const sink = new SimSink(this.database, clock, chance);
    const pipeline = new Pipeline<SimEvent>({
      name: 'sim',
      source,
      decode: decodeSimEvent,
      sink,
      deadLetters: letters => this.#storeDeadLetters(letters),
      probe: () => sink.probe(),
      bounds: {
        concurrency: chance.between(1, 4),
        batchItems: chance.between(1, 30),
        queueItems,
        queueBytes: this.#queueBytes,
      },
      ...(this.desk ? { parking: { ...simParkingRules, store: sink.parkedKeys } } : {}),
      policy: {
        retry: { attempts: 8, baseMs: 50, capMs: 1000 },
        breaker: { failures: 2, cooldown: { baseMs: 200, capMs: 2000 } },
      },
      clock,
      random: chance.random,
    });
    this.#processes.add({ source, sink, pipeline });
    void pipeline.run();
    const watch = () => {
      this.#inspect(pipeline);
      clock.at(clock.monotonic() + 200, watch);
    };
    watch();
  }

  /** What must hold at any moment. */
  #inspect(pipeline: Pipeline<SimEvent>): void {
    const { unaccounted, queuedRecords, queuedBytes, partitions } = pipeline.status();
    if (unaccounted !== 0) this.violations.push(`${unaccounted} records unaccounted`);
    const queuedMax = (queueItems + 40) * Math.max(1, partitions.length);
    if (queuedRecords > queuedMax) this.violations.push(`${queuedRecords} records queued`);
    const bytesMax = this.#queueBytes + pieceBytesMax * Math.max(1, partitions.length);
    if (queuedBytes > bytesMax) this.violations.push(`${queuedBytes} bytes held`);
  }

  #scheduleEvents(count: number): void {
    const { chance, clock } = this;
    const keys = chance.between(1, 12);
    const bad = chance.pick([0, 0.02, 0.15]);
    const repeats = chance.pick([0, 0.05]);
    const times = Array.from({ length: count }, () => chance.between(0, stormMs)).toSorted((a, b) => a - b);
    for (const [id, atMs] of times.entries()) {
      const kind: SimKind = chance.hits(bad)
        ? chance.pick(['garbage', 'noise', 'refused', 'cursed'])
        : 'good';
      const event: SimEvent = { id, key: `key-${chance.between(1, keys)}`, kind };
      clock.at(atMs, () => this.#produce(event));
      if (kind === 'good' && chance.hits(repeats)) clock.at(atMs + repeatMs, () => this.#produce(event));
    }
  }

  #produce(event: SimEvent): void {
    this.produced.push(event);
    this.cluster.append(event);
  }

  #openDesk(): SimDesk {
    const { database, clock, chance } = this;
    return new SimDesk({
      database,
      clock,
      chance,
      sendBack: (event, replay) => this.cluster.append(event, replay),
    });
  }

  #workAtDesk(): void {
    if (!this.desk) return;
    void this.desk.work();
    this.clock.at(this.clock.monotonic() + this.chance.between(100, 3000), () => this.#workAtDesk());
  }

  #scheduleFaults(count: number): void {
    const faults = [
      () => this.#kill(),
      () => this.#isolate(),
      () => this.#outage(),
      () => this.#startProcess(),
      () => this.#stopOne(),
    ];
    for (let n = 0; n < count; n += 1)
      this.clock.at(this.chance.between(0, stormMs), this.chance.pick(faults));
  }

  /** kill -9 and a restart somewhat later. */
  #kill(): void {
    const process = this.#anyProcess();
    if (!process) return;
    process.source.die();
    process.sink.die();
    this.#processes.delete(process);
    const { clock, chance } = this;
    clock.at(clock.monotonic() + sessionTimeoutMs, () => this.cluster.leave(process.source));
    clock.at(clock.monotonic() + chance.between(10, 10_000), () => this.#startProcess());
  }

  /** The coordinator expels a process that goes on working: a zombie. */
  #isolate(): void {
    const process = this.#anyProcess();
    if (!process) return;
    process.source.reachable = false;
    const { clock, chance } = this;
    const backMs = chance.between(100, 15_000);
    if (backMs > sessionTimeoutMs) {
      clock.at(clock.monotonic() + sessionTimeoutMs, () => this.cluster.leave(process.source));
    }
    clock.at(clock.monotonic() + backMs, () => void process.source.comeBack());
  }

  #outage(): void {
    this.database.outage = this.chance.pick(['silent', 'brownout'] as const);
    this.clock.at(this.clock.monotonic() + this.chance.between(100, 20_000), () => {
      this.database.outage = 'none';
    });
  }

  #stopOne(): void {
    const process = this.#anyProcess();
    if (!process || this.#processes.size < 2) return;
    this.#processes.delete(process);
    void process.pipeline.stop(this.clock.timeout(3000));
  }

  #anyProcess(): Process | undefined {
    return this.#processes.size === 0 ? undefined : this.chance.pick([...this.#processes]);
  }

  #calm(): void {
    this.database.trouble = { transient: 0, lostAnswer: 0, slow: 0 };
    if (this.#processes.size === 0) this.#startProcess();
    if (this.desk) this.desk.calm = true;
  }

  async #storeDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    await this.clock.sleep(this.chance.between(0, 20));
    if (this.clock.monotonic() < stormMs && this.chance.hits(0.1))
      throw new Error('the dead-letter topic is away');
    this.deadLetters.push(...letters);
    for (const letter of letters) this.desk?.take(letter, simEventOf(letter.record));
  }

  #finished(): boolean {
    return (
      this.clock.monotonic() > stormMs + repeatMs &&
      this.cluster.logs.every((log, partition) => this.database.position(partition) === BigInt(log.length)) &&
      !this.desk?.hasOpen &&
      [...this.database.parked.values()].every(rows => rows.size === 0)
    );
  }

  async #stopAll(): Promise<void> {
    const stops = [...this.#processes].map(({ pipeline }) => pipeline.stop(this.clock.timeout(3000)));
    let stopped = false;
    void Promise.all(stops).then(() => {
      stopped = true;
    });
    await this.clock.run(() => stopped, endMs);
  }
}
