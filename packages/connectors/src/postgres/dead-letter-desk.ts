import { omittedPayloadHeader, replayOfHeader, replaysHeader } from '@tidemark/contracts/names';
import { type Clock, TidemarkError } from '@tidemark/kernel';
import type { MessageSender, OutgoingMessage } from '../kafka/kafka-producer.ts';
import { formatReplayOrigin } from '../kafka/replay-origin.ts';
import { ParkedLetters } from './parked-letters.ts';
import type { Pool } from './pool.ts';

export type DeadLetterStatus = 'open' | 'replayed' | 'discarded';

/** Which dead letters are meant; what is left out does not matter. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[];
  readonly pipeline?: string;
  readonly reason?: string;
  /** SQLSTATE, HTTP status or name of the error. */
  readonly errorClass?: string;
  readonly key?: string;
  /** ISO 8601; the time of the failure. */
  readonly from?: string;
  readonly to?: string;
  readonly status?: DeadLetterStatus;
}

/** A dead letter as people see it. */
export interface DeadLetterEntry {
  readonly id: string;
  readonly pipeline: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly reason: string;
  readonly error: string;
  /** What a replay would send, as text. */
  readonly payload: string;
  readonly attempts: number;
  readonly replays: number;
  readonly status: DeadLetterStatus;
  readonly failedAt: string;
}

/** Who acts, and why; both are written down with every action. */
export interface Actor {
  readonly name: string;
  readonly why: string;
}

export interface ReplayOptions {
  /** Says what would be sent and sends nothing. */
  readonly dryRun?: boolean;
  /** Events a second; 100 unless given. */
  readonly eventsPerSec?: number;
  /** An event that came back so often is left alone; 3 unless given. */
  readonly replaysMax?: number;
}

export interface ReplayResult {
  readonly sent: readonly string[];
  /** Left alone because they came back too often. */
  readonly overCap: readonly string[];
  /** Left alone for now: their key is parked, and something of it that comes before them is still open or on its way. */
  readonly blocked: readonly string[];
  /** Left alone because the letter was too large to carry its payload; an edit puts one in. */
  readonly incomplete: readonly string[];
}

interface LetterRow {
  readonly event_id: string;
  readonly pipeline: string;
  readonly source_topic: string;
  readonly source_partition: number;
  readonly source_offset: string;
  readonly origin_offset: string | null;
  readonly key: string | null;
  readonly key_bytes: Buffer | null;
  readonly headers: [string, string][];
  readonly reason: string;
  readonly error: string;
  readonly payload: Buffer;
  readonly incomplete: boolean;
  readonly attempts: number;
  readonly replays: number;
  readonly status: DeadLetterStatus;
  readonly failed_at: Date;
}

/** In the order in which their events were in their topic first, so that a replay keeps the order of every key. */
const select = `
  SELECT event_id, pipeline, source_topic, source_partition, source_offset, origin_offset, key, key_bytes, headers, reason, error,
    coalesce(edited, payload_bytes) AS payload,
    edited IS NULL AND EXISTS (
      SELECT 1 FROM jsonb_array_elements(headers) AS header WHERE header->>0 = '${omittedPayloadHeader}') AS incomplete, attempts, replays, status, failed_at
  FROM dlq_events
  WHERE ($1::uuid[] IS NULL OR event_id = ANY($1)) AND ($2::text IS NULL OR pipeline = $2)
    AND ($3::text IS NULL OR reason = $3) AND ($4::text IS NULL OR starts_with(error, $4 || ':'))
    AND ($5::text IS NULL OR key = $5) AND ($6::timestamptz IS NULL OR failed_at >= $6)
    AND ($7::timestamptz IS NULL OR failed_at < $7) AND ($8::text IS NULL OR status = $8)
  ORDER BY source_topic, source_partition, coalesce(origin_offset, source_offset), source_offset LIMIT $9`;

/** Letters that one call handles, at most. */
const lettersMax = 10_000;

/**
 * Looks at dead letters and deals with them. A replay sends the original bytes, or the corrected ones, with the
 * original key and headers back to the topic that they came from: there they are an ordinary event again, behind
 * everything newer of their key, and the sinks' ids keep one that had its effect after all from having it twice.
 */
export class DeadLetterDesk {
  readonly #pool: Pool;
  readonly #sender: MessageSender;
  readonly #clock: Clock;
  readonly #parked: ParkedLetters;

  constructor(pool: Pool, sender: MessageSender, clock: Clock) {
    this.#pool = pool;
    this.#sender = sender;
    this.#clock = clock;
    this.#parked = new ParkedLetters(pool);
  }

  async list(filter: DeadLetterFilter, limit = 100): Promise<DeadLetterEntry[]> {
    return (await this.#find(filter, limit)).map(entryOf);
  }

  /** @throws TidemarkError `DEAD_LETTER_UNKNOWN` */
  async show(id: string): Promise<DeadLetterEntry> {
    const [row] = await this.#find({ ids: [id] }, 1);
    if (!row) {
      throw new TidemarkError('DEAD_LETTER_UNKNOWN', `there is no dead letter ${id}`, {
        hint: 'List them with `tidemark dlq list`.',
      });
    }
    return entryOf(row);
  }

  /** Corrects what a replay will send; the original bytes stay. */
  async edit(id: string, payload: Buffer, actor: Actor): Promise<void> {
    await this.show(id);
    await this.#act('edit', id, actor, 'UPDATE dlq_events SET edited = $4 WHERE event_id = $1', [payload]);
  }

  /** Decides that an event need not take effect. */
  async discard(id: string, actor: Actor): Promise<void> {
    await this.show(id);
    await this.#act(
      'discard',
      id,
      actor,
      `UPDATE dlq_events SET status = 'discarded' WHERE event_id = $1`,
      [],
    );
    await this.#parked.settled(id);
  }

  /** Sends open letters back to their topics, one after the other. A crash in between may send one twice, harmlessly. */
  async replay(filter: DeadLetterFilter, actor: Actor, options: ReplayOptions = {}): Promise<ReplayResult> {
    const { dryRun = false, eventsPerSec = 100, replaysMax = 3 } = options;
    const rows = await this.#find({ ...filter, status: 'open' }, lettersMax);
    const within = rows.filter(row => row.replays < replaysMax);
    const blocked = await this.#parked.blocked(within.map(row => row.event_id));
    const due = within.filter(row => !blocked.has(row.event_id) && !row.incomplete);
    const incomplete = within.filter(row => row.incomplete).map(row => row.event_id);
    if (!dryRun) {
      let pass: bigint | undefined;
      for (const row of due) {
        const seq = await this.#parked.announce(row.event_id);
        pass ??= seq;
        await this.#sender.send([messageOf(row, pass, seq)]);
        await this.#act('replay', row.event_id, actor, markReplayed, []);
        await this.#parked.settled(row.event_id);
        await this.#clock.sleep(1000 / eventsPerSec);
      }
    }
    const overCap = rows.filter(row => row.replays >= replaysMax).map(row => row.event_id);
    return { sent: due.map(row => row.event_id), overCap, blocked: [...blocked], incomplete };
  }

  async #find(filter: DeadLetterFilter, limit: number): Promise<LetterRow[]> {
    const { ids, pipeline, reason, errorClass, key, from, to, status } = filter;
    const values = [ids, pipeline, reason, errorClass, key, from, to, status].map(value => value ?? null);
    return (await this.#pool.query<LetterRow>(select, [...values, Math.min(limit, lettersMax)])).rows;
  }

  /** Changes a letter and writes the action down in one statement. The change reads the id as $1. */
  async #act(action: string, id: string, actor: Actor, change: string, values: unknown[]): Promise<void> {
    await this.#pool.query(
      `WITH changed AS (${change} RETURNING event_id)
       INSERT INTO dlq_actions (event_id, action, actor, reason)
       SELECT event_id, '${action}', $2, $3 FROM changed`,
      [id, actor.name, actor.why, ...values],
    );
  }
}

const markReplayed = `UPDATE dlq_events SET status = 'replayed', replays = replays + 1 WHERE event_id = $1`;

const ownHeaders = new Set<string>([replaysHeader, replayOfHeader, omittedPayloadHeader]);

function messageOf(row: LetterRow, pass: bigint, seq: bigint): OutgoingMessage {
  const original = row.headers.filter(([name]) => !ownHeaders.has(name));
  // What was only held back has not come back from a failure of its own.
  const replays = row.replays + (row.reason === 'parked' ? 0 : 1);
  const { pipeline, source_partition: partition } = row;
  const offset = BigInt(row.origin_offset ?? row.source_offset);
  const origin = formatReplayOrigin({ pipeline, partition, offset, pass, seq });
  return {
    topic: row.source_topic,
    key: row.key_bytes ?? undefined,
    value: row.payload,
    headers: [
      ...original.map(([name, base64]) => [Buffer.from(name), Buffer.from(base64, 'base64')] as const),
      [Buffer.from(replaysHeader), Buffer.from(String(replays))],
      [Buffer.from(replayOfHeader), Buffer.from(origin)],
    ],
  };
}

function entryOf(row: LetterRow): DeadLetterEntry {
  return {
    id: row.event_id,
    pipeline: row.pipeline,
    topic: row.source_topic,
    partition: row.source_partition,
    offset: row.source_offset,
    key: row.key,
    reason: row.reason,
    error: row.error,
    payload: row.payload.toString(),
    attempts: row.attempts,
    replays: row.replays,
    status: row.status,
    failedAt: row.failed_at.toISOString(),
  };
}
