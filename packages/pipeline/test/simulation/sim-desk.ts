import type { DeadLetter, RejectionReason } from '@tidemark/pipeline';
import type { Chance } from './chance.ts';
import type { SimDatabase, SimParkedKey } from './sim-database.ts';
import { type SimEvent, type SimKind, type SimReplay, simReplayOf } from './sim-event.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A dead letter as the desk has it. */
export interface SimLetter {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly reason: RejectionReason;
  readonly event: SimEvent;
  /** The event's first offset. */
  readonly origin: bigint;
  seq: bigint;
  status: 'open' | 'replayed' | 'discarded';
}

export interface SimDeskOptions {
  readonly database: SimDatabase;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  /** Appends an event to its topic as a dead letter that comes back. */
  readonly sendBack: (event: SimEvent, replay: SimReplay) => void;
}

/**
 * People and a program that deal with dead letters, as `DeadLetterDesk` and `ParkedLetters` do: what failed is mended,
 * sent back as it is or discarded, and what was only held back follows by itself. What it sees lags behind the topic.
 */
export class SimDesk {
  /** Events that somebody decided against. */
  readonly discarded = new Set<number>();
  /** Events decided against although a crash had hidden that they were sent back: whether and when is open. */
  readonly discardedInFlight = new Set<number>();
  /** Every letter that is visible, by its place. */
  readonly letters = new Map<string, SimLetter>();
  /** Nothing is sent back unmended any more, so that the work comes to an end. */
  calm = false;
  readonly #options: SimDeskOptions;
  #topic: SimLetter[] = [];
  #busy = false;
  #sent = 0n;
  /** Events whose letter may be on its way although it is open. */
  readonly #halfDone = new Set<number>();

  constructor(options: SimDeskOptions) {
    this.#options = options;
  }

  get hasOpen(): boolean {
    return this.#topic.length > 0 || this.#open().length > 0;
  }

  /** A letter was written to the topic. */
  take({ record, rejection }: DeadLetter, event: SimEvent): void {
    const { partition, offset, key } = record;
    const { reason } = rejection;
    const [origin] = simReplayOf(record) ?? [offset];
    this.#topic.push({ partition, offset, key: String(key), reason, event, origin, seq: 0n, status: 'open' });
  }

  /** One look at the letters. */
  async work(): Promise<void> {
    const { chance } = this.#options;
    this.#catchUp();
    if (this.#busy) return;
    this.#busy = true;
    const failed = this.#open().filter(letter => letter.reason !== 'parked');
    if (failed.length > 0 && chance.hits(this.calm ? 1 : 0.3)) await this.#decide(chance.pick(failed));
    await this.#follow();
    this.#reconcile();
    this.#busy = false;
  }

  /** The table follows the topic, some way behind. */
  #catchUp(): void {
    const seen = this.#options.chance.between(0, this.#topic.length);
    for (const letter of this.#topic.splice(0, this.calm ? this.#topic.length : seen)) {
      const place = `${letter.partition}/${letter.offset}`;
      if (!this.letters.has(place)) this.letters.set(place, letter);
    }
  }

  async #decide(letter: SimLetter): Promise<void> {
    const { chance } = this.#options;
    const what = chance.pick(this.calm ? ['mend', 'discard'] : ['mend', 'discard', 'as it is']);
    if (what !== 'discard') {
      const kind = what === 'mend' ? 'good' : letter.event.kind;
      await this.#replay([letter], kind);
      return;
    }
    letter.status = 'discarded';
    (this.#halfDone.has(letter.event.id) ? this.discardedInFlight : this.discarded).add(letter.event.id);
    this.#settle(letter);
  }

  /** Sends back what nothing holds back any more. */
  async #follow(): Promise<void> {
    const open = this.#open();
    const stuck = new Set(open.filter(({ reason }) => reason !== 'parked').map(keyOf));
    const freed = open.filter(letter => !stuck.has(keyOf(letter)));
    await this.#replay(freed);
  }

  /** Sends letters back, as they are or mended, except those that something holds back. */
  async #replay(letters: readonly SimLetter[], kind?: SimKind): Promise<void> {
    const { clock, chance, sendBack } = this.#options;
    let pass: bigint | undefined;
    for (const letter of letters.filter(one => !this.#isBlocked(one, letters))) {
      letter.seq = ++this.#sent;
      pass ??= letter.seq;
      const row = this.#rowOf(letter);
      if (row) row.sentSeq = letter.seq;
      await clock.sleep(chance.between(0, 30));
      if (this.#crashes(letter)) return;
      sendBack({ ...letter.event, kind: kind ?? letter.event.kind }, [letter.origin, pass, letter.seq]);
      await clock.sleep(chance.between(0, 30));
      if (this.#crashes(letter)) return;
      letter.status = 'replayed';
      this.#settle(letter);
    }
  }

  /** A crash between two steps; the letter stays open although it may be on its way. */
  #crashes({ event }: SimLetter): boolean {
    if (this.calm || !this.#options.chance.hits(0.03)) return false;
    this.#halfDone.add(event.id);
    return true;
  }

  #isBlocked(letter: SimLetter, among: readonly SimLetter[]): boolean {
    const hasPassed = this.#options.database.position(letter.partition) > letter.offset;
    if (letter.reason === 'parked' && !hasPassed) return true;
    const row = this.#rowOf(letter);
    if (!row) return false;
    const own = [...this.letters.values()].filter(other => keyOf(other) === keyOf(letter));
    const isBefore = (other: SimLetter) =>
      other.origin < letter.origin || (other.origin === letter.origin && other.offset < letter.offset);
    return (
      row.sentSeq > row.returnedSeq ||
      this.#sentSeqOf(row, own) > row.returnedSeq ||
      row.reletteredAt > greatest(own.map(({ offset }) => offset)) ||
      own.some(other => other.status === 'open' && isBefore(other) && !among.includes(other))
    );
  }

  /** Keys that were parked when their letters were dealt with already, and announcements that nothing followed. */
  #reconcile(): void {
    const byKey = Map.groupBy(this.letters.values(), keyOf);
    for (const letters of byKey.values()) {
      const [first] = letters;
      const row = first && this.#rowOf(first);
      if (!row) continue;
      const isSettled = letters.every(({ status }) => status !== 'open');
      if (isSettled || row.sentSeq > row.returnedSeq) this.#settle(first);
    }
  }

  #settle(letter: SimLetter): void {
    const row = this.#rowOf(letter);
    if (!row) return;
    const letters = [...this.letters.values()].filter(other => keyOf(other) === keyOf(letter));
    const open = letters.filter(({ status }) => status === 'open').map(({ offset }) => offset);
    row.settledThrough = open.length > 0 ? least(open) - 1n : greatest(letters.map(({ offset }) => offset));
    row.sentSeq = this.#sentSeqOf(row, letters);
    this.#options.database.releaseIfDone(letter.partition, letter.key);
  }

  /** The number of the newest letter that was sent back since the key is parked. */
  #sentSeqOf({ parkedAt }: SimParkedKey, letters: readonly SimLetter[]): bigint {
    const sent = letters.filter(({ status, offset }) => status === 'replayed' && offset >= parkedAt);
    return greatest([0n, ...sent.map(({ seq }) => seq)]);
  }

  #rowOf(letter: SimLetter) {
    return this.#options.database.parkedRow(letter.partition, letter.key);
  }

  #open(): SimLetter[] {
    return [...this.letters.values()]
      .filter(({ status }) => status === 'open')
      .toSorted((a, b) => a.partition - b.partition || Number(a.origin - b.origin || a.offset - b.offset));
  }
}

function keyOf({ partition, key }: SimLetter): string {
  return `${partition}/${key}`;
}

function greatest(offsets: readonly bigint[]): bigint {
  return offsets.reduce((a, b) => (b > a ? b : a), -1n);
}

function least(offsets: readonly bigint[]): bigint {
  return offsets.reduce((a, b) => (b < a ? b : a));
}
