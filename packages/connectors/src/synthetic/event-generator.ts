import type { ReviewCreated } from '@tidemark/contracts';
import { eventSchemaVersion } from '@tidemark/contracts/names';
import type { Clock } from '@tidemark/kernel';
import { uuidV7Maker } from './uuid-v7.ts';

/** What the generated traffic looks like. Percentages are 0 to 100. */
export interface TrafficShape {
  /** Share of the events that go to the hot fifth of the keys. */
  readonly hotKeyPct: number;
  readonly keys: number;
  readonly poisonPct: number;
  readonly duplicatePct: number;
}

export const defaultShape: TrafficShape = { hotKeyPct: 80, keys: 100, poisonPct: 0, duplicatePct: 0 };

/** An event as bytes, with the key that decides its partition. */
export interface EncodedEvent {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Share of the keys that is hot. */
const hotShare = 0.2;
/** Duplicates repeat one of this many events sent last. */
const recentMax = 256;

const phrases = [
  'Does what it says.',
  'Arrived early, works well.',
  'The second one broke as well.',
  'Would buy again.',
  'Not for me.',
  'Größe stimmt, Farbe nicht.',
  '期待どおりの品質。',
  'Setup took five minutes 🙂',
] as const;

/** Generates review events. The same random sequence gives the same keys, ratings and faults; ids are always new. */
export class EventGenerator {
  readonly #shape: TrafficShape;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #nextId: () => string;
  readonly #recent: EncodedEvent[] = [];
  #generated = 0;

  constructor(shape: TrafficShape, random: () => number, clock: Clock) {
    this.#shape = shape;
    this.#random = random;
    this.#clock = clock;
    this.#nextId = uuidV7Maker(() => clock.now());
  }

  /** The next event of the traffic: mostly good, sometimes poison or a repetition, as the shape says. */
  next(): EncodedEvent {
    const fate = this.#random() * 100;
    if (fate < this.#shape.poisonPct) return this.#poison();
    if (fate < this.#shape.poisonPct + this.#shape.duplicatePct) return this.#repetition();
    return this.#remember(encode(this.event()));
  }

  /** A good event; fields that are given replace generated ones. */
  event(given: { key?: string; rating?: number; text?: string } = {}): ReviewCreated {
    const id = this.#nextId();
    return {
      event_id: id,
      event_type: 'review_created',
      key: given.key ?? this.#key(),
      ts: new Date(this.#clock.now()).toISOString(),
      schema_version: eventSchemaVersion,
      payload: {
        review_id: `r-${id}`,
        rating: given.rating ?? 1 + this.#integer(5),
        text: given.text ?? phrases[this.#integer(phrases.length)] ?? '',
      },
    };
  }

  #key(): string {
    const { keys, hotKeyPct } = this.#shape;
    const hot = Math.max(1, Math.floor(keys * hotShare));
    const isHot = hot === keys || this.#random() * 100 < hotKeyPct;
    return `user:${1 + (isHot ? this.#integer(hot) : hot + this.#integer(keys - hot))}`;
  }

  /** Events that can never be processed, each for another reason. */
  #poison(): EncodedEvent {
    const event = this.event();
    const { rating: _rating, ...withoutRating } = event.payload;
    const kinds: readonly (() => Buffer)[] = [
      () => Buffer.from('not valid json at all'),
      () => encode({ ...event, payload: { ...event.payload, rating: -5 } }).value,
      () => Buffer.from(JSON.stringify({ ...event, payload: withoutRating })),
      () => Buffer.from(JSON.stringify({ ...event, event_id: 'not-a-uuid' })),
    ];
    const make = kinds[this.#integer(kinds.length)] ?? kinds[0];
    return { key: Buffer.from(event.key), value: make?.() ?? Buffer.alloc(0) };
  }

  #repetition(): EncodedEvent {
    const known = this.#recent[this.#integer(this.#recent.length)];
    return known ?? this.#remember(encode(this.event()));
  }

  #remember(encoded: EncodedEvent): EncodedEvent {
    this.#recent[this.#generated % recentMax] = encoded;
    this.#generated += 1;
    return encoded;
  }

  #integer(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

export function encode(event: ReviewCreated): EncodedEvent {
  return { key: Buffer.from(event.key), value: Buffer.from(JSON.stringify(event)) };
}
