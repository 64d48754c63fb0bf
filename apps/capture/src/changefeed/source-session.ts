import { TidemarkError } from '@tidemark/kernel';
import { Client, type ClientBase } from 'pg';
import type { DatabaseIdentity } from './source-identity.ts';
import { type SourceScope, sourceScope } from './source-scope.ts';

/** What pg_stat_activity shows for the sessions of a changefeed. */
export function applicationName(changefeedId: string): string {
  return `tidemark-capture ${changefeedId}`.slice(0, 63);
}

/** An ordinary session on the source database that owns the changefeed for as long as it lasts. */
export interface SourceSession {
  /** Runs statements; one caller at a time, in order of asking. */
  readonly use: <T>(work: (client: ClientBase) => Promise<T>) => Promise<T>;
  readonly scope: SourceScope;
  /** Rejects when the session is lost, and the ownership with it. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/**
 * Connects and takes the ownership of a changefeed by an advisory lock, which the server frees when the session ends,
 * however that happens. While it is held, whoever else streams the slot is a leftover of a process that is gone.
 * @throws TidemarkError `CHANGEFEED_TAKEN` when another process owns it
 */
export async function openSourceSession(
  url: string,
  changefeedId: string,
  own: DatabaseIdentity,
): Promise<SourceSession> {
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
    const { rows } = await client.query<{ owned: boolean }>(
      `SELECT pg_try_advisory_lock(hashtextextended('tidemark changefeed ' || $1, 0)) AS owned`,
      [changefeedId],
    );
    if (rows[0]?.owned !== true) {
      throw new TidemarkError('CHANGEFEED_TAKEN', `another capture process runs changefeed ${changefeedId}`, {
        hint: 'Stop that process; this one takes over by itself.',
      });
    }
    return { use: inTurn(client), scope: await sourceScope(client, own), lost, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Runs work on a session of its own that owns nothing.
 * @throws TidemarkError `SOURCE_UNREACHABLE`
 */
export async function withSource<T>(
  url: string,
  changefeedId: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: applicationName(changefeedId),
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // the statement under way rejects
  await client.connect().catch((cause: unknown) => {
    throw unreachable(client, cause);
  });
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Names the server, and never the URL, which holds the password. */
function unreachable({ host, port, database, user }: Client, cause: unknown): TidemarkError {
  return new TidemarkError(
    'SOURCE_UNREACHABLE',
    `cannot sign in to database ${database ?? ''} at ${host}:${port} as ${user ?? ''}`,
    {
      cause,
      hint: 'Check that the server runs, that it can be reached from here, and the user and password.',
    },
  );
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
