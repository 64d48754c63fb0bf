import type { PartitionLag, Pool } from '@tidemark/connectors';
import type { LedgerCounts } from '@tidemark/pipeline';
import type { HostedPipeline } from './host.ts';
import type { LagSampler } from './lag-sampler.ts';

/** A partition of a pipeline in the answer of `GET /pipelines`. Offsets are texts: they exceed what JSON numbers hold. */
interface PartitionReport {
  readonly topic: string;
  readonly partition: number;
  readonly position: string;
  readonly endOffset: string | null;
  readonly lag: number | null;
  readonly ledger: LedgerCounts;
  readonly updatedAt: string;
}

interface PositionRow {
  readonly pipeline: string;
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
  readonly read: string;
  readonly delivered: string;
  readonly duplicate: string;
  readonly filtered: string;
  readonly dead_lettered: string;
  readonly updated_at: Date;
}

const storedPositions = `
  SELECT pipeline, topic, partition, next_offset, read, delivered, duplicate, filtered, dead_lettered, updated_at
  FROM pipeline_positions WHERE pipeline = ANY($1) ORDER BY pipeline, topic, partition`;

/** Everything about the pipelines of this process, for the api and the command line. */
export async function reportPipelines(
  hosted: readonly HostedPipeline[],
  lags: LagSampler,
  pool: Pool,
  nowMs: number,
) {
  const inDatabase = hosted.filter(pipeline => pipeline.inDatabase).map(pipeline => pipeline.name);
  const rows = await storedRows(pool, inDatabase);
  return { items: hosted.map(pipeline => reportPipeline(pipeline, lags, rows, nowMs)) };
}

/** A database that is down must not hide what the process knows by itself. */
async function storedRows(pool: Pool, names: readonly string[]): Promise<PositionRow[]> {
  try {
    return (await pool.query<PositionRow>(storedPositions, [names])).rows;
  } catch {
    return [];
  }
}

function reportPipeline(
  hosted: HostedPipeline,
  lags: LagSampler,
  rows: readonly PositionRow[],
  nowMs: number,
) {
  const status = hosted.pipeline.status();
  const sample = lags.sampleOf(hosted.name);
  const lagOf = new Map((sample?.partitions ?? []).map(lag => [lag.partition, lag]));
  const stored = rows.filter(row => row.pipeline === hosted.name && row.topic === hosted.topic);
  const partitions =
    stored.length > 0
      ? stored.map(row => fromRow(row, lagOf.get(row.partition)))
      : status.partitions.map(held => fromMemory(held, lagOf.get(held.partition), nowMs));
  return {
    name: hosted.name,
    group: hosted.group,
    topic: hosted.topic,
    sink: hosted.sinkName,
    state: status.state === 'starting' ? 'waiting' : status.state,
    lag: sample ? Number(sample.partitions.reduce((sum, { lag }) => sum + lag, 0n)) : null,
    ratePerSec: sample?.ratePerSec ?? null,
    partitions,
    inFlight: status.inFlight,
    queuedRecords: status.queuedRecords,
    queuedBytes: status.queuedBytes,
    unaccounted: status.unaccounted,
    oldestPendingSeconds:
      status.oldestPendingMs === undefined ? null : Math.max(0, nowMs - status.oldestPendingMs) / 1000,
  };
}

function fromRow(row: PositionRow, lag: PartitionLag | undefined): PartitionReport {
  return {
    topic: row.topic,
    partition: row.partition,
    position: row.next_offset,
    ...behind(BigInt(row.next_offset), lag),
    ledger: {
      read: Number(row.read),
      delivered: Number(row.delivered),
      duplicate: Number(row.duplicate),
      filtered: Number(row.filtered),
      deadLettered: Number(row.dead_lettered),
    },
    updatedAt: row.updated_at.toISOString(),
  };
}

function fromMemory(
  held: { topic: string; partition: number; nextOffset: bigint; counts: LedgerCounts },
  lag: PartitionLag | undefined,
  nowMs: number,
): PartitionReport {
  return {
    topic: held.topic,
    partition: held.partition,
    position: String(held.nextOffset),
    ...behind(held.nextOffset, lag),
    ledger: held.counts,
    updatedAt: new Date(nowMs).toISOString(),
  };
}

/** The end was sampled earlier than the position, so the difference may be negative: then nothing is behind. */
function behind(
  position: bigint,
  lag: PartitionLag | undefined,
): { endOffset: string | null; lag: number | null } {
  if (lag === undefined) return { endOffset: null, lag: null };
  const { endOffset } = lag;
  return { endOffset: String(endOffset), lag: endOffset > position ? Number(endOffset - position) : 0 };
}
