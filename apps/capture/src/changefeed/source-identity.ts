import { TidemarkError } from '@tidemark/kernel';
import { Client, type ClientBase, type ClientConfig } from 'pg';
import { formatLsn, parseLsn } from '../protocol/lsn.ts';

/** Which server a position belongs to. Positions of two servers, or of two timelines of one, cannot be compared. */
export interface SourceIdentity {
  /** Made by initdb; the same on every standby and after every restore of it. */
  readonly system: string;
  /** Counts promotions and restores. */
  readonly timeline: number;
  /** Where the timeline began: two standbys that are promoted give theirs the same number. */
  readonly timelineStart: bigint;
}

/** The server as it is at this moment. */
export interface SourceMoment extends SourceIdentity {
  /** End of its log. */
  readonly currentLsn: bigint;
  /** Where each of the timelines before ended, by number. */
  readonly ends: ReadonlyMap<number, bigint>;
}

/** Tells one database of the world from every other. */
export interface DatabaseIdentity {
  readonly system: string;
  readonly database: string;
}

/** Answers a {@link DatabaseIdentity}. */
export const identityQuery =
  'SELECT system_identifier::text AS system, current_database() AS database FROM pg_control_system()';

/** The first eight digits of a log file's name are the timeline (PostgreSQL documentation, "WAL Internals"). */
const timelineDigits = 8;

/**
 * Asks a primary who it is.
 * @param url where the same server is reached for a replication connection
 */
export async function sourceMoment(client: ClientBase, url: string): Promise<SourceMoment> {
  const { rows } = await client.query<{ system: string; wal_file: string; lsn: string }>(
    `SELECT system_identifier::text AS system, pg_walfile_name(pg_current_wal_lsn()) AS wal_file,
            pg_current_wal_lsn()::text AS lsn FROM pg_control_system()`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the server does not say who it is');
  const timeline = Number.parseInt(row.wal_file.slice(0, timelineDigits), 16);
  const ends = timeline === 1 ? new Map<number, bigint>() : timelineEnds(await readHistory(url, timeline));
  return {
    system: row.system,
    timeline,
    timelineStart: [...ends.values()].reduce((latest, end) => (end > latest ? end : latest), 0n),
    currentLsn: parseLsn(row.lsn),
    ends,
  };
}

const createAgain =
  'Remove the changefeed and create it again with initial_copy, so that consumers get what the server holds now.';

/**
 * Makes sure that a checkpoint means the same on this server as where it was taken: it is the same server, or a
 * standby of it that had received everything up to the checkpoint when it was promoted.
 * @throws TidemarkError `SOURCE_CHANGED` or `SOURCE_DIVERGED`
 */
export function checkIdentity(known: SourceIdentity, now: SourceMoment, checkpointLsn: bigint): void {
  if (now.system !== known.system) {
    throw new TidemarkError(
      'SOURCE_CHANGED',
      `the source is another server (${now.system}) than the one that the checkpoint was taken on (${known.system})`,
      { hint: `Point source_uri at the old server. If it is gone: ${createAgain}` },
    );
  }
  const isSame = now.timeline === known.timeline && now.timelineStart === known.timelineStart;
  // Of another timeline, only what stands before the point where ours ended is known to be the same.
  const common = isSame
    ? now.currentLsn
    : now.timeline > known.timeline
      ? (now.ends.get(known.timeline) ?? 0n)
      : 0n;
  if (checkpointLsn > common) throw diverged(checkpointLsn, isSame ? now.currentLsn : now.timelineStart);
}

function diverged(checkpointLsn: bigint, serverLsn: bigint): TidemarkError {
  return new TidemarkError(
    'SOURCE_DIVERGED',
    `the source was promoted or restored at ${formatLsn(serverLsn)}, and the checkpoint ${formatLsn(checkpointLsn)} is not in its history: changes were sent that it does not have`,
    { hint: `${createAgain} For failovers without this, set synchronized_standby_slots (PostgreSQL 17).` },
  );
}

/**
 * Where timelines ended. Lines of the file: `<timeline>\t<position of the switch>\t<reason>`
 * (PostgreSQL, src/backend/access/transam/timeline.c).
 */
export function timelineEnds(history: string): ReadonlyMap<number, bigint> {
  const matches = history.matchAll(/^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gim);
  return new Map([...matches].map(([, timeline, end = '']) => [Number(timeline), parseLsn(end)]));
}

/** Reads a timeline's history file; only a replication connection can, without being a superuser. */
async function readHistory(url: string, timeline: number): Promise<string> {
  const config: ClientConfig & { readonly replication: 'database' } = {
    connectionString: url,
    replication: 'database',
    connectionTimeoutMillis: 10_000,
    // The content is sent as it is, whatever type the server says.
    types: { getTypeParser: () => (value: unknown) => value },
  };
  const client = new Client(config);
  client.on('error', () => {}); // the statement under way rejects
  await client.connect();
  try {
    const { rows } = await client.query<{ content: string }>(`TIMELINE_HISTORY ${timeline}`);
    return rows[0]?.content ?? '';
  } finally {
    await client.end().catch(() => {});
  }
}
