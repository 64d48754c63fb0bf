import { TidemarkError } from '@tidemark/kernel';
import { Client, type ClientBase, type ClientConfig } from 'pg';
import { formatLsn, parseLsn } from '../protocol/lsn.ts';

/** Which server a position belongs to. Positions of two servers, or of two timelines of one, cannot be compared. */
export interface SourceIdentity {
  /** Made by initdb; the same on every standby and after every restore of it. */
  readonly system: string;
  /** Counts promotions and restores. */
  readonly timeline: number;
}

/** The server as it is at this moment. */
export interface SourceMoment extends SourceIdentity {
  /** End of its log. */
  readonly currentLsn: bigint;
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

/** Asks a primary who it is. */
export async function sourceMoment(client: ClientBase): Promise<SourceMoment> {
  const { rows } = await client.query<{ system: string; wal_file: string; lsn: string }>(
    `SELECT system_identifier::text AS system, pg_walfile_name(pg_current_wal_lsn()) AS wal_file,
            pg_current_wal_lsn()::text AS lsn FROM pg_control_system()`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the server does not say who it is');
  return {
    system: row.system,
    timeline: Number.parseInt(row.wal_file.slice(0, timelineDigits), 16),
    currentLsn: parseLsn(row.lsn),
  };
}

const createAgain =
  'Remove the changefeed and create it again with initial_copy, so that consumers get what the server holds now.';

/**
 * Makes sure that a checkpoint means the same on this server as where it was taken: it is the same server, or a
 * standby of it that had received everything up to the checkpoint when it was promoted.
 * @param history reads the file that says where a timeline began
 * @throws TidemarkError `SOURCE_CHANGED` or `SOURCE_DIVERGED`
 */
export async function checkIdentity(
  known: SourceIdentity,
  now: SourceMoment,
  checkpointLsn: bigint,
  history: (timeline: number) => Promise<string>,
): Promise<void> {
  if (now.system !== known.system) {
    throw new TidemarkError(
      'SOURCE_CHANGED',
      `the source is another server (${now.system}) than the one that the checkpoint was taken on (${known.system})`,
      { hint: `Point source_uri at the old server. If it is gone: ${createAgain}` },
    );
  }
  if (now.timeline !== known.timeline) {
    const end = endOfTimeline(await history(now.timeline), known.timeline);
    if (end === undefined || checkpointLsn > end) throw diverged(checkpointLsn, end ?? 0n);
  } else if (checkpointLsn > now.currentLsn) {
    throw diverged(checkpointLsn, now.currentLsn);
  }
}

function diverged(checkpointLsn: bigint, serverLsn: bigint): TidemarkError {
  return new TidemarkError(
    'SOURCE_DIVERGED',
    `the source was promoted or restored at ${formatLsn(serverLsn)}, before the checkpoint ${formatLsn(checkpointLsn)}: changes were sent that it does not have`,
    { hint: `${createAgain} For failovers without this, set synchronized_standby_slots (PostgreSQL 17).` },
  );
}

/**
 * Where a timeline ended. Lines of the file: `<timeline>\t<position of the switch>\t<reason>`
 * (PostgreSQL, src/backend/access/transam/timeline.c).
 */
export function endOfTimeline(history: string, timeline: number): bigint | undefined {
  for (const line of history.split('\n')) {
    const match = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line);
    if (match && Number(match[1]) === timeline) return parseLsn(match[2] ?? '');
  }
  return undefined;
}

/** Reads a timeline's history file; only a replication connection can, without being a superuser. */
export async function readTimelineHistory(url: string, timeline: number): Promise<string> {
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
