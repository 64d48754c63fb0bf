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
  readonly confirmedLsn: bigint;
  /** `reserved`, `extended`, `unreserved` or `lost`. */
  readonly walStatus: string | null;
  /** Why the server does not keep it any more, in its own words; null while it does. */
  readonly invalidation: string | null;
  /** Bytes that may still be written before the slot is in danger; null when there is no limit. */
  readonly safeWalBytes: bigint | null;
  /** Bytes of write-ahead log that the slot keeps the server from removing. */
  readonly retainedWalBytes: bigint;
  /** End of the server's log. */
  readonly currentLsn: bigint;
}

/** Columns that this file reads; some came with later versions. */
interface SlotColumns {
  database: string;
  plugin: string;
  confirmed_flush_lsn: string | null;
  wal_status: string | null;
  safe_wal_size: string | number | null;
  conflicting?: boolean | null;
  invalidation_reason?: string | null;
}

export async function slotStatus(client: ClientBase, slot: string): Promise<SlotStatus | undefined> {
  const { rows } = await client.query<{ slot: SlotColumns; retained: string | null; lsn: string }>(
    `SELECT to_jsonb(s) AS slot, pg_current_wal_lsn()::text AS lsn,
            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8 AS retained
       FROM pg_replication_slots s WHERE slot_name = $1`,
    [slot],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { database, plugin, confirmed_flush_lsn: confirmed, wal_status: walStatus, ...rest } = row.slot;
  return {
    database,
    plugin,
    confirmedLsn: confirmed === null ? 0n : parseLsn(confirmed),
    walStatus,
    invalidation: invalidationOf({ walStatus, ...rest }),
    safeWalBytes: rest.safe_wal_size === null ? null : BigInt(rest.safe_wal_size),
    retainedWalBytes: BigInt(row.retained ?? 0),
    currentLsn: parseLsn(row.lsn),
  };
}

function invalidationOf(slot: {
  readonly walStatus: string | null;
  readonly conflicting?: boolean | null;
  readonly invalidation_reason?: string | null;
}): string | null {
  if (typeof slot.invalidation_reason === 'string') return slot.invalidation_reason;
  if (slot.walStatus === 'lost') return 'wal_removed';
  return slot.conflicting === true ? 'rows_removed' : null;
}

/** First version whose slots can be carried over to a standby, in the form of server_version_num. */
const failoverVersion = 170_000;

/**
 * Creates the slot; answers the position from which it sends every commit. Where the server can, the slot is one that
 * standbys keep a copy of (PostgreSQL documentation, "Replication Slot Synchronization").
 */
export async function createSlot(client: ClientBase, slot: string): Promise<bigint> {
  const { rows: servers } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int4 AS version`,
  );
  const forStandbys = (servers[0]?.version ?? 0) >= failoverVersion ? ', false, false, true' : '';
  const { rows } = await client.query<{ lsn: string }>(
    `SELECT lsn FROM pg_create_logical_replication_slot($1, 'pgoutput'${forStandbys})`,
    [slot],
  );
  return parseLsn(rows[0]?.lsn ?? '0/0');
}

/**
 * Drops the slot if it exists, ending a session of ours that streams it.
 * @throws 55006 when somebody else does
 */
export async function dropSlot(client: ClientBase, slot: string, application: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(a.pid, 5000)
       FROM pg_replication_slots s JOIN pg_stat_activity a ON a.pid = s.active_pid
      WHERE s.slot_name = $1 AND a.application_name = $2 AND a.usename = current_user`,
    [slot, application],
  );
  await client.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
}

const startAnew =
  'Changes since the checkpoint may be lost. Remove the changefeed and create it again with initial_copy.';

/** What keeps it from happening again, by the server's reason (PostgreSQL documentation, "pg_replication_slots"). */
const preventions: Readonly<Record<string, string>> = {
  wal_removed: 'Raise max_slot_wal_keep_size to let a changefeed stand still for longer.',
  wal_level_insufficient: 'Keep wal_level at logical.',
  idle_timeout: 'Raise idle_replication_slot_timeout, or do not pause changefeeds for that long.',
};

/** Something of our name is there that is not known to be ours. */
export function slotExists(what: string, name: string, drop: string): TidemarkError {
  return new TidemarkError('SLOT_EXISTS', `${what} ${name} is there already`, {
    hint: `Another Tidemark may need it. Give the changefeed another id, or, if nobody does, ${drop}.`,
  });
}

/**
 * Makes sure that the slot still stands where this changefeed left it. Going on with another slot would skip changes
 * without anybody noticing, so every doubt ends the changefeed.
 * @throws TidemarkError `SLOT_MISSING`, `SLOT_FOREIGN`, `SLOT_LOST` or `SLOT_ADVANCED`
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
  if (status.invalidation !== null) {
    throw new TidemarkError(
      'SLOT_LOST',
      `the server invalidated replication slot ${slot} (${status.invalidation})`,
      { hint: `${startAnew} ${preventions[status.invalidation] ?? ''}`.trim() },
    );
  }
  if (status.confirmedLsn > checkpointLsn) {
    throw new TidemarkError(
      'SLOT_ADVANCED',
      `replication slot ${slot} stands at ${formatLsn(status.confirmedLsn)}, beyond the checkpoint ${formatLsn(checkpointLsn)} of the changefeed: somebody else consumed or recreated it`,
      { hint: startAnew },
    );
  }
}
