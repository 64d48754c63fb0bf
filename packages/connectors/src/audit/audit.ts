import { TidemarkError } from '@tidemark/kernel';
import {
  addCounts,
  decodeRecord,
  type LedgerCounts,
  type SourceRecord,
  type TopicPartition,
} from '@tidemark/pipeline';
import type { KafkaConnection } from '../kafka/client-options.ts';
import { LogReader } from '../kafka/read-range.ts';
import type { Pool } from '../postgres/pool.ts';
import { type AuditSubject, auditSubjects } from './subjects.ts';

/** An offset whose fate cannot be shown. */
export interface Doubt extends TopicPartition {
  readonly offset: bigint;
  readonly why: string;
}

/** What a recount of one partition found. */
export interface PartitionAudit extends TopicPartition {
  /** Every offset below was to be accounted for. */
  readonly position: bigint;
  /** Offsets below are gone from the log, so only their counts in the ledger remain. */
  readonly logStart: bigint;
  /** What log and sink say. */
  readonly recounted: LedgerCounts;
  /** What the books say. */
  readonly ledger: LedgerCounts;
  /** At most {@link doubtsMax}; none when the books balance. */
  readonly doubts: readonly Doubt[];
  readonly balanced: boolean;
}

export interface AuditReport {
  readonly pipeline: string;
  readonly partitions: readonly PartitionAudit[];
  readonly balanced: boolean;
}

/** Doubts that are listed for one partition. */
export const doubtsMax = 100;

interface PositionRow {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
  readonly read: string;
  readonly delivered: string;
  readonly duplicate: string;
  readonly filtered: string;
  readonly dead_lettered: string;
}

const storedPositions = `
  SELECT topic, partition, next_offset, read, delivered, duplicate, filtered, dead_lettered
  FROM pipeline_positions WHERE pipeline = $1 ORDER BY topic, partition`;

const deadLetters = `
  SELECT source_offset::text AS id FROM dlq_events
  WHERE pipeline = $1 AND source_topic = $2 AND source_partition = $3 AND source_offset = ANY($4::bigint[])`;

const none: LedgerCounts = { read: 0, delivered: 0, duplicate: 0, filtered: 0, deadLettered: 0 };

/**
 * Recounts a pipeline: reads the log up to the stored positions, decides every record anew, looks for its effect or its
 * dead letter, and compares the sums with the ledger. Trusts nothing that the engine has counted.
 *
 * @throws TidemarkError `AUDIT_UNKNOWN_PIPELINE` for a pipeline whose sink keeps no ids
 */
export async function auditPipeline(
  pipeline: string,
  connection: KafkaConnection,
  pool: Pool,
): Promise<AuditReport> {
  const subject = auditSubjects[pipeline];
  if (!subject) {
    throw new TidemarkError('AUDIT_UNKNOWN_PIPELINE', `the pipeline ${pipeline} cannot be audited`, {
      hint: `Choose from ${Object.keys(auditSubjects).join(', ')}.`,
    });
  }
  const { rows } = await pool.query<PositionRow>(storedPositions, [pipeline]);
  const log = new LogReader(connection);
  try {
    const partitions: PartitionAudit[] = [];
    for (const row of rows)
      partitions.push(await new PartitionRecount(pipeline, subject, log, pool, row).run());
    return { pipeline, partitions, balanced: partitions.every(({ balanced }) => balanced) };
  } finally {
    await log.close();
  }
}

/** The recount of one partition. */
class PartitionRecount {
  readonly #pipeline: string;
  readonly #subject: AuditSubject;
  readonly #log: LogReader;
  readonly #pool: Pool;
  readonly #row: PositionRow;
  readonly #doubts: Doubt[] = [];
  #counts = none;

  constructor(pipeline: string, subject: AuditSubject, log: LogReader, pool: Pool, row: PositionRow) {
    this.#pipeline = pipeline;
    this.#subject = subject;
    this.#log = log;
    this.#pool = pool;
    this.#row = row;
  }

  async run(): Promise<PartitionAudit> {
    const { topic, partition } = this.#row;
    const position = BigInt(this.#row.next_offset);
    const logStart = (await this.#log.starts(topic))[partition] ?? 0n;
    for await (const records of this.#log.read(topic, partition, logStart, position))
      await this.#recount(records);
    const ledger = ledgerOf(this.#row);
    const balanced = this.#doubts.length === 0 && (logStart > 0n || sameFates(this.#counts, ledger));
    return {
      topic,
      partition,
      position,
      logStart,
      recounted: this.#counts,
      ledger,
      doubts: this.#doubts,
      balanced,
    };
  }

  async #recount(records: readonly SourceRecord[]): Promise<void> {
    const items = records.map(record => decodeRecord(this.#subject.decide, record, record.timestampMs));
    const ids = items.flatMap(item => (item.fate === 'deliver' ? [item.event] : []));
    const effective = await this.#found(this.#subject.effects, [ids]);
    const { topic, partition } = this.#row;
    const offsets = records.map(record => String(record.offset));
    const lettered = await this.#found(deadLetters, [this.#pipeline, topic, partition, offsets]);
    for (const item of items) {
      const { offset } = item.record;
      if (lettered.has(String(offset))) this.#count({ deadLettered: 1 });
      else if (item.fate === 'filtered') this.#count({ filtered: 1 });
      else if (item.fate === 'deliver' && effective.has(item.event)) this.#count({ delivered: 1 });
      else this.#doubt(offset, item.fate === 'deliver' ? 'no effect and no dead letter' : 'no dead letter');
    }
  }

  async #found(query: string, values: unknown[]): Promise<Set<string>> {
    const { rows } = await this.#pool.query<{ id: string }>(query, values);
    return new Set(rows.map(row => row.id));
  }

  #count(added: Partial<LedgerCounts>): void {
    this.#counts = addCounts(this.#counts, { ...none, read: 1, ...added });
  }

  #doubt(offset: bigint, why: string): void {
    const { topic, partition } = this.#row;
    this.#counts = addCounts(this.#counts, { ...none, read: 1 });
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

/** A recount sees that an effect is there, not which of several equal events brought it about. */
function sameFates(recounted: LedgerCounts, ledger: LedgerCounts): boolean {
  return (
    recounted.read === ledger.read &&
    recounted.delivered === ledger.delivered + ledger.duplicate &&
    recounted.filtered === ledger.filtered &&
    recounted.deadLettered === ledger.deadLettered
  );
}
