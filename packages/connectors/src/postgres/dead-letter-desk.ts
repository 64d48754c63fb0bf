import { furtherPipelines, pipelines } from '@tidemark/contracts/names';
import { type Clock, TidemarkError } from '@tidemark/kernel';
import type { MessageSender, OutgoingMessage } from '../kafka/kafka-producer.ts';
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
  lockOpen,
  markReplayed,
  type OpenLetter,
} from './dead-letter-query.ts';
import { ParkedLetters, type ReplayNumber, type ReplayPass } from './parked-letters.ts';
import { inTransaction, type Pool } from './pool.ts';

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
  /** Left alone because the letter was too large to carry its payload; an edit puts one in. */
  readonly incomplete: readonly string[];
  /** Left alone for now: their key is parked, and something of it that comes before them is still open or on its way. */
  readonly blocked: readonly string[];
  /** Letters that match as well, and come after the limit, or after one that somebody else dealt with meanwhile. */
  readonly remaining: number;
}

const never = new AbortController().signal;

export const replayDefaults = { dryRun: false, eventsPerSec: 100, replaysMax: 3, signal: never } as const;

const ourPipelines: ReadonlySet<string> = new Set([
  ...Object.values(pipelines),
  ...Object.values(furtherPipelines),
]);

/** Letters that are sent and marked together, at most; fewer at low rates, so that the rate stays even. */
const chunkMax = 100;
const chunksPerSec = 10;

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
  readonly #parked: ParkedLetters;

  /** @param sendTimeoutMs less than the database allows a transaction to wait for us */
  constructor(pool: Pool, sender: MessageSender, clock: Clock, sendTimeoutMs = 8000) {
    this.#pool = pool;
    this.#sender = sender;
    this.#clock = clock;
    this.#sendTimeoutMs = sendTimeoutMs;
    this.#parked = new ParkedLetters(pool);
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
    const discarded = rows.map(row => row.event_id);
    await this.#parked.settled(discarded);
    return discarded;
  }

  /**
   * Sends open letters back to their topics, in the order in which their events were there first. Each chunk is locked,
   * sent, marked and logged in one transaction: of two people who replay the same letters only one sends them, and the
   * other stops there, because what comes next may belong behind them. A crash after the sending leaves the chunk open,
   * and whoever replays it again does no harm: what had its effect is recognised by its id, and what fails again has the
   * same dead letter as its twin.
   *
   * @throws TidemarkError `DEAD_LETTER_UNKNOWN`, `DEAD_LETTER_CLOSED` when single letters are named and are not open;
   *   `BROKER_UNAVAILABLE`, with everything that was not acknowledged still open
   */
  async replay(filter: DeadLetterFilter, actor: Actor, options: ReplayOptions = {}): Promise<ReplayResult> {
    const { dryRun, eventsPerSec, replaysMax, signal, onSent } = { ...replayDefaults, ...options };
    const { candidates, ...leftAlone } = await this.#choose(filter, replaysMax);
    const due = candidates.slice(0, options.limit ?? candidates.length);
    if (dryRun) return { sent: due, ...leftAlone, remaining: candidates.length - due.length };
    const pass: ReplayPass = {};
    const chunk = Math.max(1, Math.min(chunkMax, Math.floor(eventsPerSec / chunksPerSec)));
    const sent: string[] = [];
    for (let at = 0; at < due.length && !signal.aborted; at += chunk) {
      const startedMs = this.#clock.monotonic();
      const isWhole = await this.#replayChunk(due.slice(at, at + chunk), pass, actor);
      if (!isWhole) break;
      sent.push(...due.slice(at, at + chunk));
      onSent?.(sent.length, due.length);
      const spentMs = this.#clock.monotonic() - startedMs;
      await this.#clock.sleep(Math.max(0, (chunk / eventsPerSec) * 1000 - spentMs), signal).catch(() => {});
    }
    return { sent, ...leftAlone, remaining: candidates.length - sent.length };
  }

  /** Which of the open letters may be sent back now, in order, and why the others may not. */
  async #choose(filter: DeadLetterFilter, replaysMax: number) {
    const open = await findOpen(this.#pool, filter);
    await this.#requireOpen(filter, open.length);
    const idsOf = (letters: readonly OpenLetter[]) => letters.map(({ id }) => id);
    const [known, homeless] = split(open, letter => ourPipelines.has(letter.pipeline));
    const [under, overCap] = split(known, letter => letter.replays < replaysMax);
    const [whole, incomplete] = split(under, letter => !letter.incomplete);
    const blocked = await this.#parked.blocked(idsOf(whole));
    return {
      candidates: idsOf(whole).filter(id => !blocked.has(id)),
      homeless: idsOf(homeless),
      overCap: idsOf(overCap),
      incomplete: idsOf(incomplete),
      blocked: [...blocked],
    };
  }

  /** False, and nothing is sent, when some of the letters are no longer open. */
  #replayChunk(ids: readonly string[], pass: ReplayPass, actor: Actor): Promise<boolean> {
    return inTransaction(this.#pool, never, async transaction => {
      const rows = await lockOpen(transaction, ids);
      if (rows.length < ids.length) return false;
      const sequence = await this.#parked.announce(rows, pass, transaction);
      await this.#send(rows.map((row, index) => messageOf(row, sequence[index] as ReplayNumber)));
      await transaction.query({
        name: 'mark-replayed',
        text: markReplayed,
        values: [ids, actor.name, actor.why],
      });
      await this.#parked.settled(ids, transaction);
      return true;
    });
  }

  /** The client waits for a broker that is gone as long as it takes; a person, and our locks, cannot. */
  async #send(messages: readonly OutgoingMessage[]): Promise<void> {
    const done = new AbortController();
    const overdue = this.#clock.sleep(this.#sendTimeoutMs, done.signal).then(() => {
      throw new TidemarkError('BROKER_UNAVAILABLE', 'the broker did not acknowledge the events in time', {
        hint: 'Try again when it is back; what was not sent is still open.',
      });
    });
    const sending = this.#sender.send(messages);
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

/** Those that the condition holds for, and the others. */
function split<T>(all: readonly T[], condition: (one: T) => boolean): [T[], T[]] {
  const { yes = [], no = [] } = Object.groupBy(all, one => (condition(one) ? 'yes' : 'no'));
  return [yes, no];
}

function unknownLetter(id: string): TidemarkError {
  return new TidemarkError('DEAD_LETTER_UNKNOWN', `there is no dead letter ${id}`, {
    hint: 'List them with `tidemark dlq list`.',
  });
}
