import type { PoolClient } from 'pg';
import { takeLease } from './lease.ts';
import type { Pool } from './pool.ts';

export interface RetentionOptions {
  readonly pool: Pool;
  /** Who takes the lease; every process has another name. */
  readonly holder: string;
  /** How long an id is remembered after its event took effect, at least. */
  readonly keepMs: number;
  readonly leaseMs: number;
}

export interface RetentionResult {
  /** Partitions of single days there are now. */
  readonly partitions: number;
  /** Ids that were forgotten by this run. */
  readonly forgotten: number;
}

export const processedEventsTask = 'processed-events';

const dayMs = 86_400_000;
/** Days ahead for which partitions are made, so that a consumer that is down for some days finds its place. */
const daysAhead = 7;
/** Attaching a partition reads the table of other ids under a lock; beyond this size, bytes, that would be felt. */
const othersBytesMax = 64 * 1024 * 1024;
const deleteMax = 10_000;
/** Nobody waits longer than this for us, milliseconds: sinks write into the same table all the time. */
const lockTimeoutMs = 2000;

const dayTable = /^processed_events_d(\d{4})(\d{2})(\d{2})$/;

/**
 * Makes the partitions of the days to come, and forgets the ids of events that took effect longer ago than the
 * retention. May be repeated and interrupted at any point.
 *
 * @returns undefined when somebody else holds the lease
 */
export async function retainProcessedEvents(
  options: RetentionOptions,
  nowMs: number,
): Promise<RetentionResult | undefined> {
  const { pool, holder, keepMs, leaseMs } = options;
  if (!(await takeLease(pool, processedEventsTask, holder, leaseMs))) return undefined;
  const existing = await existingDays(pool);
  if (await othersAreFew(pool)) {
    for (let ahead = 0; ahead <= daysAhead; ahead += 1) {
      const day = startOfDay(nowMs) + ahead * dayMs;
      if (!existing.has(day)) await makeDay(pool, day);
    }
  }
  const horizonMs = nowMs - keepMs;
  // Known before anything goes: whoever looks for an id in the meantime must not miss it without a reason.
  await noteHorizon(pool, horizonMs);
  let forgotten = 0;
  for (const day of existing) {
    if (day + dayMs <= horizonMs) forgotten += await retireDay(pool, day, horizonMs);
  }
  forgotten += await forgetOthers(pool, horizonMs);
  await pool.query('UPDATE maintenance SET done_at = now() WHERE task = $1', [processedEventsTask]);
  return { partitions: (await existingDays(pool)).size, forgotten };
}

/** Events that took effect before this time may be forgotten; undefined before the first run. */
export async function processedEventsHorizonMs(pool: Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ horizon: Date | null }>(
    'SELECT horizon FROM maintenance WHERE task = $1',
    [processedEventsTask],
  );
  return rows[0]?.horizon?.getTime();
}

async function noteHorizon(pool: Pool, horizonMs: number): Promise<void> {
  await pool.query('UPDATE maintenance SET horizon = greatest(horizon, $2) WHERE task = $1', [
    processedEventsTask,
    new Date(horizonMs),
  ]);
}

/** Days that have a partition, as the milliseconds of their beginning (UTC). */
async function existingDays(pool: Pool): Promise<Set<number>> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'processed_events'::regclass ORDER BY c.relname`,
  );
  const days = rows.flatMap(({ name }) => {
    const [, year, month, day] = dayTable.exec(name) ?? [];
    return year === undefined ? [] : [Date.UTC(Number(year), Number(month) - 1, Number(day))];
  });
  return new Set(days);
}

async function othersAreFew(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ bytes: string }>(
    `SELECT pg_relation_size('processed_events_other') AS bytes`,
  );
  return Number(rows[0]?.bytes ?? 0) <= othersBytesMax;
}

/** Ids of that day that are there already, because the partition comes late, move into it. */
async function makeDay(pool: Pool, day: number): Promise<void> {
  const table = tableOf(day);
  const [from, to] = [firstIdOf(day), firstIdOf(day + dayMs)];
  await inShortTransaction(pool, async client => {
    await client.query('LOCK TABLE processed_events_other IN ACCESS EXCLUSIVE MODE');
    await client.query(`CREATE TABLE ${table} (LIKE processed_events INCLUDING ALL)`);
    await client.query(
      `WITH moved AS (
         DELETE FROM processed_events_other WHERE event_id >= '${from}' AND event_id < '${to}' RETURNING *
       ) INSERT INTO ${table} SELECT * FROM moved`,
    );
    await client.query(
      `ALTER TABLE processed_events ATTACH PARTITION ${table} FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
  });
}

/**
 * Drops a day. What took effect much later than its id was made, as events do that waited in a backlog, is not due
 * yet: with the day's partition gone its ids belong among the others. The partition is locked before it is read, so
 * that no id slips in behind; sinks write their newer ids meanwhile.
 */
async function retireDay(pool: Pool, day: number, horizonMs: number): Promise<number> {
  const table = tableOf(day);
  const horizon = [new Date(horizonMs)];
  return inShortTransaction(pool, async client => {
    await client.query(`LOCK TABLE ${table} IN SHARE MODE`);
    const due = await client.query<{ n: string }>(
      `SELECT count(*) AS n FROM ${table} WHERE processed_at < $1`,
      horizon,
    );
    await client.query(`ALTER TABLE processed_events DETACH PARTITION ${table}`);
    await client.query(
      `INSERT INTO processed_events SELECT * FROM ${table} WHERE processed_at >= $1`,
      horizon,
    );
    await client.query(`DROP TABLE ${table}`);
    return Number(due.rows[0]?.n ?? 0);
  });
}

async function forgetOthers(pool: Pool, horizonMs: number): Promise<number> {
  let forgotten = 0;
  for (let deleted = deleteMax; deleted === deleteMax; forgotten += deleted) {
    const { rowCount } = await pool.query(
      `DELETE FROM processed_events_other WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM processed_events_other WHERE processed_at < $1 LIMIT ${deleteMax}))`,
      [new Date(horizonMs)],
    );
    deleted = rowCount ?? 0;
  }
  return forgotten;
}

/** A transaction that gives up when it has to wait for a lock for long: the next run tries again. */
async function inShortTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let usable = false;
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    const result = await work(client);
    await client.query('COMMIT');
    usable = true;
    return result;
  } finally {
    // The end of the connection rolls back what was not committed.
    client.release(!usable);
  }
}

function startOfDay(ms: number): number {
  return Math.floor(ms / dayMs) * dayMs;
}

function tableOf(day: number): string {
  return `processed_events_d${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** The smallest UUID of version 7 of a millisecond. */
function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
