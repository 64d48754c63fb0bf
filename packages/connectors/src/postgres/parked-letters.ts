import type { Pool, Transaction } from './pool.ts';

/** One going through the letters; known by the first number that was given in it. */
export interface ReplayPass {
  first?: bigint;
}

/** By which a pipeline tells a letter that comes back from newer events, and knows when all have come. */
export interface ReplayNumber {
  readonly pass: bigint;
  readonly seq: bigint;
}

/** The letters `e` of the same key in the same pipeline and partition as the letter `one`. */
const sameKey = `
  e.pipeline = one.pipeline AND e.source_topic = one.source_topic AND e.source_partition = one.source_partition
  AND parking_key(e.key_bytes) = parking_key(one.key_bytes)`;

/** The parked key that the letter `one` belongs to. */
const itsKey = `
  p.pipeline = one.pipeline AND p.topic = one.source_topic AND p.partition = one.source_partition
  AND p.key = parking_key(one.key_bytes)`;

/** The newest record that is the letter `e`. */
const newest = 'greatest(e.source_offset, e.newest_offset)';

/** Letters are sent back in the order in which their events were there first. */
const place = (letter: string) =>
  `(coalesce(${letter}.origin_offset, ${letter}.source_offset), ${letter}.source_offset)`;

/** The number of the newest letter that was sent back since the key is parked. */
const sentSeq = `(
  SELECT max(e.replay_seq) FROM dlq_events AS e
  WHERE ${sameKey} AND e.status = 'replayed' AND e.source_offset >= p.parked_at)`;

/**
 * A letter of a parked key waits for open ones before it, and for everything that was sent back earlier: until that has
 * come, and until what became a letter again of it is here to be seen. One that was only held back waits as well until the
 * pipeline's position has passed it; until then nothing says yet that its key is parked.
 */
const findBlocked = `
  SELECT one.event_id AS id FROM dlq_events AS one
  LEFT JOIN parked_keys AS p ON ${itsKey}
  LEFT JOIN pipeline_positions AS at
    ON at.pipeline = one.pipeline AND at.topic = one.source_topic AND at.partition = one.source_partition
  WHERE one.event_id = ANY($1::uuid[]) AND (one.reason = 'parked' AND at.next_offset <= one.source_offset
    OR p.key IS NOT NULL AND (
    greatest(p.sent_seq, ${sentSeq}) > p.returned_seq
    OR p.relettered_at > (SELECT max(${newest}) FROM dlq_events AS e WHERE ${sameKey})
    OR EXISTS (
      SELECT 1 FROM dlq_events AS e
      WHERE ${sameKey} AND e.status = 'open' AND ${place('e')} < ${place('one')} AND e.event_id <> ALL($1::uuid[]))))`;

const takeNumbers = `SELECT nextval('dlq_replay_seq') AS seq FROM generate_series(1, $1::int)`;

/** Each letter gets its number, and each parked key the highest number of its letters. */
const announce = `
  WITH numbered AS (
    UPDATE dlq_events AS e SET replay_seq = input.seq
    FROM unnest($1::uuid[], $2::bigint[]) AS input (id, seq) WHERE e.event_id = input.id
    RETURNING e.pipeline, e.source_topic, e.source_partition, parking_key(e.key_bytes) AS key, e.replay_seq
  ), newest AS (
    SELECT pipeline, source_topic, source_partition, key, max(replay_seq) AS seq FROM numbered
    GROUP BY pipeline, source_topic, source_partition, key
  )
  UPDATE parked_keys AS p SET sent_seq = newest.seq FROM newest
  WHERE p.pipeline = newest.pipeline AND p.topic = newest.source_topic AND p.partition = newest.source_partition
    AND p.key = newest.key`;

/** What the letters of the key say: how far all are dealt with, and what was sent back since it is parked. */
const settle = `
  UPDATE parked_keys AS p SET
    settled_through = (
      SELECT coalesce(min(e.source_offset) FILTER (WHERE e.status = 'open') - 1, max(${newest}))
      FROM dlq_events AS e WHERE ${sameKey}),
    sent_seq = coalesce(${sentSeq}, 0)
  FROM dlq_events AS one WHERE one.event_id = ANY($1::uuid[]) AND ${itsKey}`;

const release = `
  DELETE FROM parked_keys AS p USING dlq_events AS one
  WHERE one.event_id = ANY($1::uuid[]) AND ${itsKey} AND p.settled_through >= p.last_at AND p.returned_seq >= p.sent_seq`;

/** Open letters that were only held back, of keys without an open letter that failed by itself. */
const findFreed = `
  SELECT one.event_id AS id FROM dlq_events AS one
  WHERE one.status = 'open' AND one.reason = 'parked'
    AND NOT EXISTS (
      SELECT 1 FROM dlq_events AS e WHERE ${sameKey} AND e.status = 'open' AND e.reason <> 'parked')
  ORDER BY one.source_topic, one.source_partition, ${place('one')} LIMIT $1`;

/** A letter of each parked key that has no open one, or was announced to come back and has not. */
const findSettled = `
  SELECT DISTINCT ON (p.pipeline, p.topic, p.partition, p.key) one.event_id AS id
  FROM parked_keys AS p JOIN dlq_events AS one ON ${itsKey}
  WHERE p.sent_seq > p.returned_seq
    OR NOT EXISTS (SELECT 1 FROM dlq_events AS e WHERE ${sameKey} AND e.status = 'open')
  ORDER BY p.pipeline, p.topic, p.partition, p.key`;

/**
 * What dealing with dead letters means for parked keys. The desk calls `announce` before it sends a letter back and
 * `settled` when a letter is no longer open. Letters of keys that are not parked pass through without a trace.
 */
export class ParkedLetters {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Those of the letters that may not be sent back yet. */
  async blocked(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(await this.#ids(findBlocked, [ids]));
  }

  /**
   * The letters are about to be sent back, in this order, in the transaction that marks them: their keys are not released
   * before they have come. Resolves with their numbers.
   */
  async announce(
    letters: readonly { readonly event_id: string }[],
    pass: ReplayPass,
    transaction: Transaction,
  ): Promise<readonly ReplayNumber[]> {
    const { rows } = await transaction.query<{ seq: string }>({
      name: 'take-replay-numbers',
      text: takeNumbers,
      values: [letters.length],
    });
    const numbers = rows.map(row => BigInt(row.seq)).toSorted((a, b) => (a < b ? -1 : 1));
    await transaction.query({
      name: 'announce-replay',
      text: announce,
      values: [letters.map(letter => letter.event_id), numbers.map(String)],
    });
    pass.first ??= numbers[0] ?? 0n;
    const { first } = pass;
    return numbers.map(seq => ({ pass: first, seq }));
  }

  /** The letters were sent back or discarded. Releases their keys when nothing of them is left. */
  async settled(ids: readonly string[], on: Pick<Transaction, 'query'> = this.#pool): Promise<void> {
    if (ids.length === 0) return;
    await on.query({ name: 'settle-parked-keys', text: settle, values: [ids] });
    await on.query({ name: 'release-settled-keys', text: release, values: [ids] });
  }

  /** Letters that nothing holds back any more, in the order in which they have to be sent back. */
  freed(limit: number): Promise<string[]> {
    return this.#ids(findFreed, [limit]);
  }

  /**
   * Puts right what a crash or a race left: keys whose letters were dealt with before the pipeline had stored that they
   * are parked, and letters that were announced and never sent.
   */
  async reconcile(): Promise<void> {
    await this.settled(await this.#ids(findSettled, []));
  }

  async #ids(query: string, values: unknown[]): Promise<string[]> {
    const { rows } = await this.#pool.query<{ id: string }>(query, values);
    return rows.map(row => row.id);
  }
}
