import { createHash } from 'node:crypto';
import { TidemarkError } from '@tidemark/kernel';
import type { ClientBase } from 'pg';
import { formatLsn, parseLsn } from '../protocol/lsn.ts';

const prefix = 'tidemark_';
/** Slot names may have 63 characters of [a-z0-9_] (PostgreSQL documentation, "Replication Slots"). */
const nameLengthMax = 63;
const digestLength = 8;

/** The name of a changefeed's slot and publication. Ids that would fall together are told apart by a digest. */
export function resourceName(changefeedId: string): string {
  const name = prefix + changefeedId.replaceAll('-', '_');
  if (name === name.toLowerCase() && name.length <= nameLengthMax) return name;
  const digest = createHash('sha256').update(changefeedId).digest('hex').slice(0, digestLength);
  return `${name.toLowerCase().slice(0, nameLengthMax - digestLength - 1)}_${digest}`;
}

/** What pg_replication_slots says about a slot. */
export interface SlotStatus {
  readonly database: string;
  readonly plugin: string;
  /** Process that streams the slot now. */
  readonly activePid: number | null;
  readonly confirmedLsn: bigint;
  /** `reserved`, `extended`, `unreserved` or `lost`. */
  readonly walStatus: string | null;
  /** Bytes that may still be written before the slot is in danger; null when there is no limit. */
  readonly safeWalBytes: bigint | null;
  /** Bytes of write-ahead log that the slot keeps the server from removing. */
  readonly retainedWalBytes: bigint;
}

interface SlotRow {
  database: string;
  plugin: string;
  active_pid: number | null;
  confirmed_flush_lsn: string | null;
  wal_status: string | null;
  safe_wal_size: string | null;
  retained: string | null;
}

export async function slotStatus(client: ClientBase, slot: string): Promise<SlotStatus | undefined> {
  const { rows } = await client.query<SlotRow>(
    `SELECT database, plugin, active_pid, confirmed_flush_lsn, wal_status, safe_wal_size,
            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 AS retained
       FROM pg_replication_slots WHERE slot_name = $1`,
    [slot],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    database: row.database,
    plugin: row.plugin,
    activePid: row.active_pid,
    confirmedLsn: row.confirmed_flush_lsn === null ? 0n : parseLsn(row.confirmed_flush_lsn),
    walStatus: row.wal_status,
    safeWalBytes: row.safe_wal_size === null ? null : BigInt(row.safe_wal_size),
    retainedWalBytes: BigInt(row.retained ?? 0),
  };
}

/** Creates the slot; answers the position from which it sends every commit. */
export async function createSlot(client: ClientBase, slot: string): Promise<bigint> {
  const { rows } = await client.query<{ lsn: string }>(
    `SELECT lsn FROM pg_create_logical_replication_slot($1, 'pgoutput')`,
    [slot],
  );
  return parseLsn(rows[0]?.lsn ?? '0/0');
}

/** Drops the slot if it exists, ending the session that streams it. */
export async function dropSlot(client: ClientBase, slot: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
      WHERE slot_name = $1 AND active_pid IS NOT NULL`,
    [slot],
  );
  await client.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
}

const startAnew =
  'Changes since the checkpoint may be lost. Remove the changefeed and create it again, and copy the tables anew.';

/**
 * Makes sure that the slot still stands where this changefeed left it. Going on with another slot would skip changes
 * without anybody noticing, so every doubt ends the changefeed.
 * @throws TidemarkError `SLOT_MISSING`, `SLOT_LOST`, `SLOT_FOREIGN` or `SLOT_ADVANCED`
 */
export function checkSlot(
  slot: string,
  status: SlotStatus | undefined,
  database: string,
  checkpointLsn: bigint,
): void {
  if (status === undefined) {
    throw new TidemarkError('SLOT_MISSING', `replication slot ${slot} does not exist any more`, {
      hint: startAnew,
    });
  }
  if (status.database !== database || status.plugin !== 'pgoutput') {
    throw new TidemarkError(
      'SLOT_FOREIGN',
      `replication slot ${slot} belongs to ${status.plugin} on database ${status.database}`,
      { hint: 'Give the changefeed another id, or drop that slot if nobody needs it.' },
    );
  }
  if (status.walStatus === 'lost') {
    throw new TidemarkError('SLOT_LOST', `replication slot ${slot} lost write-ahead log that it needed`, {
      hint: `${startAnew} Raise max_slot_wal_keep_size to let a changefeed stand still for longer.`,
    });
  }
  if (status.confirmedLsn > checkpointLsn) {
    throw new TidemarkError(
      'SLOT_ADVANCED',
      `replication slot ${slot} stands at ${formatLsn(status.confirmedLsn)}, beyond the checkpoint ${formatLsn(checkpointLsn)} of the changefeed: somebody else consumed or recreated it`,
      { hint: startAnew },
    );
  }
}
