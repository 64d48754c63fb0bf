import { type BackoffPolicy, backoffDelayMs, type Clock, errorCode, TidemarkError } from '@tidemark/kernel';
import type { ClientBase } from 'pg';
import {
  type ReplicationConnection,
  type ReplicationOptions,
  startReplication,
} from '../protocol/replication-connection.ts';
import type { SourceSession } from './source-session.ts';

const retryPolicy: BackoffPolicy = { baseMs: 100, capMs: 1000 };
/** Attempts before a session of ours that lingers is ended: most go away by themselves. */
const evictAfterAttempts = 3;
const attemptsMax = 8;

/** SQLSTATE of a slot that another session streams. */
const objectInUse = '55006';

/**
 * Starts streaming. A session of a predecessor that was killed can linger for a moment; if it does for longer it is
 * ended, which is safe because we own the changefeed. A session of anybody else is left alone.
 * @throws TidemarkError `SLOT_TAKEN` when somebody else streams the slot
 */
export async function streamSlot(
  { use }: SourceSession,
  options: ReplicationOptions,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
  signal: AbortSignal,
): Promise<ReplicationConnection> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await startReplication(options);
    } catch (error) {
      if (errorCode(error) !== objectInUse) throw error;
      const holder = await use(client => slotHolder(client, options.slot, options.applicationName));
      if (holder !== undefined && !holder.isOurs) throw taken(options.slot, holder, error);
      if (attempt === attemptsMax) throw error;
    }
    if (attempt >= evictAfterAttempts) {
      await use(client => client.query(evictStatement, [options.slot, options.applicationName]));
    }
    await clock.sleep(backoffDelayMs(retryPolicy, attempt, random), signal);
  }
}

/** The session that streams a slot. */
interface SlotHolder {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly address: string | null;
  /** Started by us: it has our user and the name that only sessions of this changefeed have. */
  readonly isOurs: boolean;
}

async function slotHolder(
  client: ClientBase,
  slot: string,
  application: string,
): Promise<SlotHolder | undefined> {
  const { rows } = await client.query<SlotHolder>(
    `SELECT s.active_pid AS pid, a.usename AS user, a.application_name AS application,
            a.client_addr::text AS address,
            a.usename = current_user AND a.application_name = $2 AS "isOurs"
       FROM pg_replication_slots s JOIN pg_stat_activity a ON a.pid = s.active_pid WHERE s.slot_name = $1`,
    [slot, application],
  );
  return rows[0];
}

const evictStatement = `
  SELECT pg_terminate_backend(a.pid)
    FROM pg_replication_slots s JOIN pg_stat_activity a ON a.pid = s.active_pid
   WHERE s.slot_name = $1 AND a.application_name = $2 AND a.usename = current_user`;

function taken(slot: string, { pid, user, application, address }: SlotHolder, cause: unknown): TidemarkError {
  const who = `${application === null || application === '' ? 'a session' : application} of ${user ?? 'another user'}${address === null ? '' : ` at ${address}`}`;
  return new TidemarkError('SLOT_TAKEN', `replication slot ${slot} is streamed by ${who} (process ${pid})`, {
    cause,
    hint: `Stop that program, or end its session: SELECT pg_terminate_backend(${pid}). What it consumes is lost to this changefeed.`,
  });
}
