import type { Row } from '@tidemark/contracts';

/** Rows of the tables that a stack really has, and of pgbench's, shaped by a passed-in random source. */
export type Random = () => number;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

const names = ['ada', 'grace', 'edsger', 'barbara', 'leslie', 'tony', 'radia', 'donald', 'frances', 'ken'];
export const reviewTexts = [
  'Arrived a day early and works as described.',
  'The hinge is loose after two weeks. Support answered within the hour, though.',
  'Good value. I would buy it again.',
  'Louder than I hoped, but the battery lasts.',
  'Exactly what we needed for the office.',
  'Colour differs a little from the pictures.',
] as const;

export function userRow(random: Random, id: number): Row {
  return {
    id: String(id),
    email: `${pick(random, names)}.${id}@example.com`,
    password_hash: '***',
    token: null,
    role: pick(random, ['viewer', 'viewer', 'operator', 'admin']),
    trace_context: null,
    created_at: '2026-11-02 09:14:07.120431+00',
    updated_at: '2026-11-21 04:12:36.779102+00',
  };
}

export function reviewRow(random: Random, id: number): Row {
  return {
    review_id: `r-0193${id.toString(16).padStart(8, '0')}`,
    user_key: `user:${between(random, 1, 40)}`,
    rating: String(between(random, 1, 5)),
    text: pick(random, reviewTexts),
    trace_context: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    created_at: '2026-11-21 04:20:10.004211+00',
  };
}

export function accountRow(random: Random, aid: number): Row {
  return {
    aid: String(aid),
    bid: String(1 + (aid % 10)),
    // Beyond 2^53: the console must not round it.
    abalance: aid % 97 === 0 ? '9007199254740993' : String(between(random, -80_000, 80_000)),
    filler: '',
  };
}

export function tellerRow(random: Random, tid: number): Row {
  return {
    tid: String(tid),
    bid: String(1 + (tid % 10)),
    tbalance: String(between(random, -40_000, 40_000)),
    filler: null,
  };
}

export function historyRow(random: Random): Row {
  return {
    tid: String(between(random, 1, 100)),
    bid: String(between(random, 1, 10)),
    aid: String(between(random, 1, 100_000)),
    delta: String(between(random, -5000, 5000)),
    mtime: '2026-11-21 04:31:55.102944',
    filler: null,
  };
}
