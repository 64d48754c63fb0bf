import { type Clock, describeError, TidemarkError } from '@tidemark/kernel';
import { Client, type ClientBase } from 'pg';
import type { ReplicationConnection, ReplicationOptions } from '../protocol/replication-connection.ts';
import { startReplication } from '../protocol/replication-connection.ts';
import { type CatalogTable, listTables } from '../tables/catalog.ts';
import { type Selection, selectTables } from '../tables/selection.ts';
import { tableFilter } from '../tables/table-filter.ts';
import type { Changefeed } from './changefeed.ts';
import { preflight } from './preflight.ts';
import { publishTables } from './publication.ts';
import { tableRules } from './table-rules.ts';
import { checkSlot, createSlot, dropSlot, resourceName, slotStatus } from './replication-slot.ts';

/** What pg_stat_activity shows for the sessions of a changefeed. */
export function applicationName(changefeedId: string): string {
  return `tidemark-capture ${changefeedId}`.slice(0, 63);
}

/** An ordinary session on the source database that owns the changefeed for as long as it lasts. */
export interface SourceSession {
  /** Runs statements; one caller at a time, in order of asking. */
  readonly use: <T>(work: (client: ClientBase) => Promise<T>) => Promise<T>;
  readonly databaseName: string;
  /** Rejects when the session is lost, and the ownership with it. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/**
 * Connects and takes the ownership of a changefeed by an advisory lock, which the server frees when the session ends,
 * however that happens. While it is held, whoever else streams the slot is a leftover of a process that is gone.
 * @throws TidemarkError `CHANGEFEED_TAKEN` when another process owns it
 */
export async function openSourceSession(url: string, changefeedId: string): Promise<SourceSession> {
  const client = new Client({
    connectionString: url,
    application_name: applicationName(changefeedId),
    // A table that somebody is altering is published at the next look; waiting for it would hold up everything else.
    options: '-c lock_timeout=5s -c tcp_keepalives_idle=20',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.on('end', () => reject(new TidemarkError('SOURCE_LOST', 'the session on the source ended')));
  });
  lost.catch(() => {}); // whoever waits for it handles it; until then it must not count as unhandled
  await client.connect();
  const close = () => client.end().catch(() => {});
  try {
    const { rows } = await client.query<{ owned: boolean; database: string }>(
      `SELECT pg_try_advisory_lock(hashtextextended('tidemark changefeed ' || $1, 0)) AS owned,
              current_database() AS database`,
      [changefeedId],
    );
    if (rows[0]?.owned !== true) {
      throw new TidemarkError('CHANGEFEED_TAKEN', `another capture process runs changefeed ${changefeedId}`, {
        hint: 'Stop that process; this one takes over by itself.',
      });
    }
    return { use: inTurn(client), databaseName: rows[0].database, lost, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs work on a session of its own that owns nothing. */
export async function withSource(
  url: string,
  changefeedId: string,
  work: (client: Client, database: string) => Promise<void>,
): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: applicationName(changefeedId),
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // the statement under way rejects
  await client.connect();
  try {
    await work(client, client.database ?? '');
  } finally {
    await client.end().catch(() => {});
  }
}

/** A session runs one statement at a time. */
function inTurn(client: ClientBase): SourceSession['use'] {
  let last: Promise<unknown> = Promise.resolve();
  return work => {
    const result = last.then(() => work(client));
    last = result.catch(() => {});
    return result;
  };
}

/** The tables that the changefeed names as the database stands now. */
export async function currentSelection(
  client: ClientBase,
  databaseName: string,
  { config }: Pick<Changefeed, 'config'>,
): Promise<Selection> {
  const filter = tableFilter(config.filter.rules, config.case_sensitive);
  const { treat } = tableRules(config, new Uint8Array());
  const options = { forceReplicate: config.force_replicate, treat };
  return selectTables(await listTables(client), databaseName, filter, options);
}

/** Where a changefeed begins or goes on. */
export interface PreparedSlot {
  readonly startLsn: bigint;
  /** Tables whose existing rows are wanted from now on. */
  readonly toCopy: readonly CatalogTable[];
}

/** Makes publication and slot ready. */
export function prepareSlot(
  { use, databaseName }: SourceSession,
  changefeed: Changefeed,
): Promise<PreparedSlot> {
  return use(client => prepareSlotOn(client, databaseName, changefeed));
}

async function prepareSlotOn(
  client: ClientBase,
  databaseName: string,
  changefeed: Changefeed,
): Promise<PreparedSlot> {
  const name = resourceName(changefeed.id);
  await preflight(client, changefeed.checkpointLsn === null);
  const { tables } = await currentSelection(client, databaseName, changefeed);
  const joined = (await publishTables(client, name, tables)) ?? [];
  const status = await slotStatus(client, name);
  if (changefeed.checkpointLsn !== null) {
    checkSlot(name, status, databaseName, changefeed.checkpointLsn);
    return { startLsn: changefeed.checkpointLsn, toCopy: joined };
  }
  // A slot without a checkpoint is left from a creation that was cut short: nothing was ever sent from it.
  if (status !== undefined) {
    checkSlot(name, status, databaseName, status.confirmedLsn);
    await dropSlot(client, name);
  }
  return { startLsn: await createSlot(client, name), toCopy: changefeed.config.initial_copy ? tables : [] };
}

const evictAfterAttempts = 4;
const retryMs = 250;

const evictStatement = `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
  WHERE slot_name = $1 AND active_pid IS NOT NULL`;

/** SQLSTATE of a slot that another session streams. */
const objectInUse = '55006';

/**
 * Starts streaming. A session of a predecessor that was killed can linger for a moment; if it does for longer it is
 * ended, which is safe because we own the changefeed.
 */
export async function streamSlot(
  { use }: SourceSession,
  options: ReplicationOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<ReplicationConnection> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startReplication(options);
    } catch (error) {
      if (!isSlotInUse(error) || attempt > evictAfterAttempts * 3) throw error;
    }
    if (attempt >= evictAfterAttempts) {
      await use(client => client.query(evictStatement, [options.slot]));
    }
    await clock.sleep(retryMs, signal);
  }
}

function isSlotInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === objectInUse;
}

/** True for failures that only a person can mend; everything else is tried again. */
export function isPermanent(error: unknown): boolean {
  if (error instanceof RangeError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && permanentCodes.has(code);
}

const permanentCodes = new Set([
  'KAFKA_REFUSED',
  'PREFLIGHT_FAILED',
  'SLOT_MISSING',
  'SLOT_LOST',
  'SLOT_FOREIGN',
  'SLOT_ADVANCED',
  'SINK_URI_INVALID',
  'FILTER_RULE_INVALID',
  'PARAMETER_INVALID',
  'COLUMN_SELECTOR_INVALID',
  'DISPATCHER_INVALID',
  '28000', // invalid_authorization_specification
  '28P01', // invalid_password
  '42501', // insufficient_privilege
  '42704', // undefined_object: slot or publication dropped under us
  '55000', // object_not_in_prerequisite_state: slot invalidated
]);

/** What is shown for a failure. */
export function explainFailure(error: unknown): string {
  const hint = error instanceof TidemarkError && error.hint !== undefined ? ` — ${error.hint}` : '';
  return `${describeError(error)}${hint}`;
}
