import { TidemarkError } from '@tidemark/kernel';
import type { KafkaConnection } from '../kafka/client-options.ts';
import { LogReader } from '../kafka/read-range.ts';
import type { Pool } from '../postgres/pool.ts';
import { type LetterIndex, readLetters } from './letter-index.ts';
import { PartitionRecount, type PositionRow } from './partition-recount.ts';
import type { AuditReport, PartitionAudit } from './report.ts';
import { auditSubjects } from './subjects.ts';

/** Positions and counts are one row of one statement, so they belong together however fast the pipeline works on. */
const storedPositions = `
  SELECT topic, partition, first_offset, next_offset, read, delivered, duplicate, filtered, dead_lettered
  FROM pipeline_positions WHERE pipeline = $1 ORDER BY topic, partition`;

/** The pipelines that can be audited. */
export const auditedPipelines: readonly string[] = Object.keys(auditSubjects);

/**
 * Recounts a pipeline: reads the log up to the stored positions, decides every record anew, looks for its effect or its
 * dead letter, and compares the sums with the ledger. Trusts nothing that the engine has counted, and needs nothing to
 * stand still: positions only grow, and what lies below them has happened.
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
      hint: `Choose from ${auditedPipelines.join(', ')}.`,
    });
  }
  const { rows } = await pool.query<PositionRow>(storedPositions, [pipeline]);
  const log = new LogReader(connection);
  let letters: Promise<LetterIndex> | undefined;
  const parts = {
    pipeline,
    subject,
    log,
    pool,
    // Read once, and only when there is a doubt that it may dispel.
    letters: () => (letters ??= readLetters(log, pipeline)),
  };
  try {
    const partitions: PartitionAudit[] = [];
    for (const row of rows) partitions.push(await new PartitionRecount(parts, row).run());
    return { pipeline, partitions, balanced: partitions.every(({ balanced }) => balanced) };
  } finally {
    await log.close();
  }
}
