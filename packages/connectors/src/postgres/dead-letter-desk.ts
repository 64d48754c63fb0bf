import { type Clock, TidemarkError } from '@tidemark/kernel';
import { auditSubjects } from '../audit/subjects.ts';
import type { MessageSender } from '../kafka/kafka-producer.ts';
import {
  type DeadLetterAction,
  type DeadLetterDetail,
  type DeadLetterEntry,
  detailOf,
  entryOf,
  messageOf,
} from './dead-letter-entry.ts';
import {
  type DeadLetterFilter,
  type DeadLetterPlace,
  findLetter,
  findLetters,
  findOpen,
  type LetterRow,
  letterColumns,
} from './dead-letter-query.ts';
import { inTransaction, type Pool, type Transaction } from './pool.ts';

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
  /** An event that was sent back so often is left alone; 3 unless given. */
  readonly replaysMax?: number;
  /** Letters that are sent at most; all of them unless given. */
  readonly limit?: number;
  /** Ends the replay after what is being sent; the rest stays open. */
  readonly signal?: AbortSignal;
  readonly onSent?: (sent: number, of: number) => void;
}

export interface ReplayResult {
  readonly sent: readonly string[];
  /** Left alone because they came back too often. */
  readonly overCap: readonly string[];
  /** Left alone because nothing says where they came from: somebody else wrote them to the dead-letter topic. */
  readonly homeless: readonly string[];
  /** Letters that match as well, and come after the limit. */
  readonly remaining: number;
}

export const replayDefaults = { eventsPerSec: 100, replaysMax: 3 } as const;

/** Letters that are sent and marked together, at most; fewer at low rates, so that the rate stays even. */
const chunkMax = 100;
const chunksPerSec = 10;
const never = new AbortController().signal;

/**
 * Looks at dead letters and deals with them. A replay sends the original bytes, or the corrected ones, with the
 * original key and headers back to the partition that they came from: there they are an ordinary event again, behind
 * everything newer of their key. Every action is written to the log together with what it changes.
 */
export class DeadLetterDesk {
  readonly #pool: Pool;
  readonly #sender: MessageSender;
  readonly #clock: Clock;
  readonly #sendTimeoutMs: number;

  /** @param sendTimeoutMs less than the database allows a transaction to wait for us */
  constructor(pool: Pool, sender: MessageSender, clock: Clock, sendTimeoutMs = 8000) {
    this.#pool = pool;
    this.#sender = sender;
    this.#clock = clock;
    this.#sendTimeoutMs = sendTimeoutMs;
  }

  /** Newest first. */
  async list(filter: DeadLetterFilter, limit = 100): Promise<DeadLetterEntry[]> {
    return (await findLetters(this.#pool, filter, limit)).map(entryOf);
  }

  /** A page of the list with the place of each letter in it. */
  async page(
    filter: DeadLetterFilter,
    limit: number,
    before?: DeadLetterPlace,
  ): Promise<{ readonly entry: DeadLetterEntry; readonly place: DeadLetterPlace }[]> {
    const rows = await findLetters(this.#pool, filter, limit, before);
    return rows.map(row => ({
      entry: entryOf(row),
      place: { failedAt: row.exact_failed_at, id: row.event_id },
    }));
  }

  /** @throws TidemarkError `DEAD_LETTER_UNKNOWN` */
  async show(id: string): Promise<DeadLetterDetail> {
    const row = await findLetter(this.#pool, id);
    if (!row) throw unknownLetter(id);
    const { rows: actions } = await this.#pool.query<ActionRow>(
      'SELECT action, actor, reason, acted_at FROM dlq_actions WHERE event_id = $1 ORDER BY id',
      [id],
    );
    const taken = actions.map(({ action, actor, reason, acted_at }) => ({
      action,
      who: actor,
      why: reason,
      at: acted_at.toISOString(),
    }));
    return detailOf(row, taken);
  }

  /**
   * Corrects what a replay will send; the original bytes stay.
   * @throws TidemarkError `DEAD_LETTER_UNKNOWN`, `DEAD_LETTER_CLOSED`
   */
  async edit(id: string, payload: Buffer, actor: Actor): Promise<void> {
    const { rowCount } = await this.#pool.query(
      `WITH changed AS (UPDATE dlq_events SET edited = $4 WHERE event_id = $1 AND status = 'open' RETURNING event_id)
       INSERT INTO dlq_actions (event_id, action, actor, reason, payload)
       SELECT event_id, 'edit', $2, $3, $4 FROM changed`,
      [id, actor.name, actor.why, payload],
    );
    if (rowCount === 0) throw await this.#whyNotOpen(id);
  }

  /** Decides that open letters need not take effect; answers with their ids. */
  async discard(
    filter: DeadLetterFilter,
    actor: Actor,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<string[]> {
    const open = await findOpen(this.#pool, filter);
    await this.#requireOpen(filter, open.length);
    const ids = open.map(letter => letter.id);
    if (options.dryRun) return ids;
    const { rows } = await this.#pool.query<{ event_id: string }>(
      `WITH changed AS (
         UPDATE dlq_events SET status = 'discarded' WHERE event_id = ANY($1::uuid[]) AND status = 'open'
         RETURNING event_id
       )
       INSERT INTO dlq_actions (event_id, action, actor, reason)
       SELECT event_id, 'discard', $2, $3 FROM changed RETURNING event_id`,
      [ids, actor.name, actor.why],
    );
    return rows.map(row => row.event_id);
  }

  /**
   * Sends open letters back to their topics, in log order. Each chunk is locked, sent, marked and logged in one
   * transaction: of two people who replay at the same time only one sends. A crash after the sending leaves the chunk
   * open, and whoever replays it again does no harm: what had its effect is recognised by its id, and what fails again
   * has the same dead letter as its twin.
   *
   * @throws TidemarkError `DEAD_LETTER_UNKNOWN`, `DEAD_LETTER_CLOSED` when single letters are named and are not open;
   *   `BROKER_UNAVAILABLE`, with everything that was not acknowledged still open
   */
  async replay(filter: DeadLetterFilter, actor: Actor, options: ReplayOptions = {}): Promise<ReplayResult> {
    const {
      dryRun = false,
      eventsPerSec,
      replaysMax,
      signal = never,
      onSent,
    } = { ...replayDefaults, ...options };
    const open = await findOpen(this.#pool, filter);
    await this.#requireOpen(filter, open.length);
    const homeless = open.filter(letter => !auditSubjects[letter.pipeline]).map(({ id }) => id);
    const known = open.filter(letter => auditSubjects[letter.pipeline]);
    const overCap = known.filter(letter => letter.replays >= replaysMax).map(({ id }) => id);
    const all = known.filter(letter => letter.replays < replaysMax).map(({ id }) => id);
    const due = all.slice(0, options.limit ?? all.length);
    const remaining = all.length - due.length;
    if (dryRun) return { sent: due, overCap, homeless, remaining };
    const chunk = Math.max(1, Math.min(chunkMax, Math.floor(eventsPerSec / chunksPerSec)));
    const sent: string[] = [];
    for (let at = 0; at < due.length && !signal.aborted; at += chunk) {
      const startedMs = this.#clock.monotonic();
      sent.push(...(await this.#replayChunk(due.slice(at, at + chunk), actor)));
      onSent?.(sent.length, due.length);
      const spentMs = this.#clock.monotonic() - startedMs;
      await this.#clock.sleep(Math.max(0, (chunk / eventsPerSec) * 1000 - spentMs), signal).catch(() => {});
    }
    return { sent, overCap, homeless, remaining };
  }

  #replayChunk(ids: readonly string[], actor: Actor): Promise<string[]> {
    return inTransaction(this.#pool, never, async transaction => {
      const rows = await lockOpen(transaction, ids);
      await this.#send(rows);
      const sent = rows.map(row => row.event_id);
      await transaction.query({
        name: 'mark-replayed',
        text: markReplayed,
        values: [sent, actor.name, actor.why],
      });
      return sent;
    });
  }

  /** The client waits for a broker that is gone as long as it takes; a person, and our locks, cannot. */
  async #send(rows: readonly LetterRow[]): Promise<void> {
    const done = new AbortController();
    const overdue = this.#clock.sleep(this.#sendTimeoutMs, done.signal).then(() => {
      throw new TidemarkError('BROKER_UNAVAILABLE', 'the broker did not acknowledge the events in time', {
        hint: 'Try again when it is back; what was not sent is still open.',
      });
    });
    const sending = this.#sender.send(rows.map(messageOf));
    for (const loser of [sending, overdue]) loser.catch(() => {});
    try {
      await Promise.race([sending, overdue]);
    } finally {
      done.abort();
    }
  }

  /** Letters that are named one by one are expected to be there. */
  async #requireOpen({ ids }: DeadLetterFilter, found: number): Promise<void> {
    if (ids === undefined || found > 0) return;
    for (const id of ids) throw await this.#whyNotOpen(id);
  }

  async #whyNotOpen(id: string): Promise<TidemarkError> {
    const row = await findLetter(this.#pool, id);
    if (!row) return unknownLetter(id);
    if (row.status === 'open') {
      return new TidemarkError(
        'DEAD_LETTER_CLOSED',
        `the dead letter ${id} does not match the other filters`,
      );
    }
    return new TidemarkError('DEAD_LETTER_CLOSED', `the dead letter ${id} was ${row.status} already`, {
      hint: 'A replay that fails again comes back as a new dead letter; list those that are open.',
    });
  }
}

interface ActionRow {
  readonly action: DeadLetterAction['action'];
  readonly actor: string;
  readonly reason: string;
  readonly acted_at: Date;
}

const markReplayed = `
  WITH changed AS (
    UPDATE dlq_events SET status = 'replayed', replays = replays + 1 WHERE event_id = ANY($1::uuid[])
    RETURNING event_id
  )
  INSERT INTO dlq_actions (event_id, action, actor, reason) SELECT event_id, 'replay', $2, $3 FROM changed`;

async function lockOpen(transaction: Transaction, ids: readonly string[]): Promise<LetterRow[]> {
  const { rows } = await transaction.query<LetterRow>({
    name: 'lock-open-letters',
    text: `SELECT ${letterColumns} FROM dlq_events WHERE event_id = ANY($1::uuid[]) AND status = 'open'
      ORDER BY source_topic, source_partition, source_offset FOR UPDATE SKIP LOCKED`,
    values: [ids],
  });
  return rows;
}

function unknownLetter(id: string): TidemarkError {
  return new TidemarkError('DEAD_LETTER_UNKNOWN', `there is no dead letter ${id}`, {
    hint: 'List them with `tidemark dlq list`.',
  });
}
