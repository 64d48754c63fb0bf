import { decodeRecord, type Item, type LedgerCounts, type SourceRecord } from '@tidemark/pipeline';
import { deadLetterId } from '../kafka/dead-letters.ts';
import type { LogReader } from '../kafka/read-range.ts';
import type { Pool } from '../postgres/pool.ts';
import { type LetterIndex, placeKey } from './letter-index.ts';
import { agrees, nothingSeen, type Recount } from './recount.ts';
import { type Doubt, doubtsMax, type PartitionAudit } from './report.ts';
import type { AuditSubject, Trace } from './subjects.ts';

export interface PositionRow {
  readonly topic: string;
  readonly partition: number;
  readonly first_offset: string;
  readonly next_offset: string;
  readonly read: string;
  readonly delivered: string;
  readonly duplicate: string;
  readonly filtered: string;
  readonly dead_lettered: string;
}

export interface RecountParts {
  readonly pipeline: string;
  readonly subject: AuditSubject;
  readonly log: LogReader;
  readonly pool: Pool;
  /** The dead-letter topic, read through. */
  readonly letters: () => Promise<LetterIndex>;
}

const deadLetters = 'SELECT event_id::text AS id FROM dlq_events WHERE event_id = ANY($1::uuid[])';

/** What is known about a handful of records. */
interface Evidence {
  readonly ids: ReadonlySet<string>;
  readonly effects: ReadonlySet<string>;
  readonly letters: ReadonlySet<string>;
  readonly horizonMs: number | undefined;
}

/** The recount of one partition. */
export class PartitionRecount {
  readonly #parts: RecountParts;
  readonly #row: PositionRow;
  readonly #doubts: Doubt[] = [];
  #doubtful = 0;
  #counts = nothingSeen;

  constructor(parts: RecountParts, row: PositionRow) {
    this.#parts = parts;
    this.#row = row;
  }

  async run(): Promise<PartitionAudit> {
    const { log } = this.#parts;
    const { topic, partition } = this.#row;
    const from = BigInt(this.#row.first_offset);
    const position = BigInt(this.#row.next_offset);
    const logStart = (await log.starts(topic))[partition] ?? 0n;
    const logEnd = (await log.ends(topic))[partition] ?? 0n;
    const first = logStart > from ? logStart : from;
    for await (const records of log.read(topic, partition, first, logEnd < position ? logEnd : position))
      await this.#recount(records);
    if (logEnd < position)
      this.#doubt(logEnd, `the log ends at ${logEnd}: it is not the one that the books are about`);
    if (logStart > position)
      this.#doubt(position, `the log begins at ${logStart}: what lies between was never read`);
    const ledger = ledgerOf(this.#row);
    const recounted: Recount = { ...this.#counts, gone: Number(position - from) - this.#counts.seen };
    return {
      topic,
      partition,
      from,
      position,
      logStart,
      recounted,
      ledger,
      doubts: this.#doubts,
      doubtful: this.#doubtful,
      balanced: this.#doubtful === 0 && agrees(ledger, recounted),
    };
  }

  async #recount(records: readonly SourceRecord[]): Promise<void> {
    const { subject } = this.#parts;
    const items = records.map(record => decodeRecord(subject.decide, record, record.timestampMs));
    const evidence = await this.#gather(items);
    for (const item of items) {
      const found = this.#judge(item, evidence);
      const settled = found ?? ((await this.#hasLetter(item.record)) ? 'deadLettered' : undefined);
      if (settled === undefined) {
        this.#doubt(
          item.record.offset,
          item.fate === 'deliver' ? 'no effect and no dead letter' : 'no dead letter',
        );
      }
      this.#count(settled);
    }
  }

  async #gather(items: readonly Item<Trace>[]): Promise<Evidence> {
    const { pipeline, subject, pool } = this.#parts;
    // Asked first: what is forgotten after it was asked is missed by no look-up that came before.
    const horizonMs = await subject.horizonMs?.(pool);
    const traces = items.flatMap(item => (item.fate === 'deliver' ? [item.event] : []));
    const effects = traces.flatMap(({ effect }) => (effect === undefined ? [] : [effect]));
    return {
      horizonMs,
      ids: await this.#found(
        subject.ids,
        traces.map(({ id }) => id),
      ),
      effects: subject.effects === undefined ? new Set() : await this.#found(subject.effects, effects),
      letters: await this.#found(
        deadLetters,
        items.map(({ record }) => deadLetterId(pipeline, record)),
      ),
    };
  }

  /** The count that a record belongs to, as far as the database tells. */
  #judge(item: Item<Trace>, evidence: Evidence): keyof Recount | undefined {
    const lettered = evidence.letters.has(deadLetterId(this.#parts.pipeline, item.record));
    const effective = item.fate === 'deliver' && evidence.ids.has(item.event.id);
    if (lettered) return effective ? 'either' : 'deadLettered';
    if (item.fate === 'filtered') return 'filtered';
    if (effective) return 'delivered';
    if (item.fate !== 'deliver' || item.record.timestampMs >= (evidence.horizonMs ?? -Infinity))
      return undefined;
    return evidence.effects.has(item.event.effect ?? '') ? 'delivered' : 'expired';
  }

  async #hasLetter({ topic, partition, offset }: SourceRecord): Promise<boolean> {
    return (await this.#parts.letters()).has(placeKey(topic, partition, offset));
  }

  async #found(query: string, values: readonly string[]): Promise<ReadonlySet<string>> {
    if (values.length === 0) return new Set();
    const { rows } = await this.#parts.pool.query<{ id: string }>(query, [values]);
    return new Set(rows.map(row => row.id));
  }

  #count(fate: keyof Recount | undefined): void {
    const { seen } = this.#counts;
    this.#counts = { ...this.#counts, seen: seen + 1 };
    if (fate !== undefined) this.#counts = { ...this.#counts, [fate]: this.#counts[fate] + 1 };
  }

  #doubt(offset: bigint, why: string): void {
    const { topic, partition } = this.#row;
    this.#doubtful += 1;
    if (this.#doubts.length < doubtsMax) this.#doubts.push({ topic, partition, offset, why });
  }
}

function ledgerOf(row: PositionRow): LedgerCounts {
  return {
    read: Number(row.read),
    delivered: Number(row.delivered),
    duplicate: Number(row.duplicate),
    filtered: Number(row.filtered),
    deadLettered: Number(row.dead_lettered),
  };
}
