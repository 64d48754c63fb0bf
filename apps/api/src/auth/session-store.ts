import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import { toUser } from '../users/user-row.ts';
import type { Principal } from './principal.ts';
import { newToken, tokenHash } from './session-token.ts';

/** A session that was just begun; the only moment at which its token is known. */
export interface NewSession {
  readonly token: string;
  readonly csrfToken: string;
  readonly expiresAt: Date;
}

export interface SessionStore {
  begin(userId: number, address: string): Promise<NewSession>;
  /** The user of a token that is still good. */
  find(token: string): Promise<Omit<Principal, 'via'> | undefined>;
  /** Whether a session that was found earlier is still good. */
  isAlive(tokenSha256: Buffer): Promise<boolean>;
  end(tokenSha256: Buffer): Promise<void>;
}

/** Sessions that one account can have at once; the oldest give way. */
const sessionsPerUserMax = 50;

export function createSessionStore(queries: Kysely<Schema>, ttlMs: number): SessionStore {
  return {
    async begin(userId, address) {
      const token = newToken();
      const csrfToken = newToken();
      await forgetOldSessions(queries, userId);
      const { expires_at } = await queries
        .insertInto('sessions')
        .values({
          token_sha256: tokenHash(token),
          user_id: userId,
          csrf_token: csrfToken,
          // The database's clock decides on both ends of a session's life.
          expires_at: sql`now() + ${ttlMs} * interval '1 millisecond'`,
          address,
        })
        .returning('expires_at')
        .executeTakeFirstOrThrow();
      return { token, csrfToken, expiresAt: expires_at };
    },
    async find(token) {
      const row = await queries
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .where('token_sha256', '=', tokenHash(token))
        .where('expires_at', '>', sql<Date>`now()`)
        .select(['token_sha256', 'csrf_token', 'users.id', 'email', 'role', 'users.created_at', 'updated_at'])
        .executeTakeFirst();
      return row && { user: toUser(row), tokenSha256: row.token_sha256, csrfToken: row.csrf_token };
    },
    async isAlive(tokenSha256) {
      const row = await queries
        .selectFrom('sessions')
        .where('token_sha256', '=', tokenSha256)
        .where('expires_at', '>', sql<Date>`now()`)
        .select('user_id')
        .executeTakeFirst();
      return row !== undefined;
    },
    async end(tokenSha256) {
      await queries.deleteFrom('sessions').where('token_sha256', '=', tokenSha256).execute();
    },
  };
}

/** Removes everybody's expired sessions, and this user's oldest beyond the bound. */
async function forgetOldSessions(queries: Kysely<Schema>, userId: number): Promise<void> {
  await queries
    .deleteFrom('sessions')
    .where(eb =>
      eb.or([
        eb('expires_at', '<=', sql<Date>`now()`),
        eb(
          'token_sha256',
          'in',
          eb
            .selectFrom('sessions')
            .where('user_id', '=', userId)
            .select('token_sha256')
            .orderBy('created_at', 'desc')
            .offset(sessionsPerUserMax - 1),
        ),
      ]),
    )
    .execute();
}

/** Ends the sessions of a user, except the one that makes the change. */
export async function endSessionsOf(
  queries: Kysely<Schema>,
  userId: number,
  except: Buffer | undefined,
): Promise<void> {
  let statement = queries.deleteFrom('sessions').where('user_id', '=', userId);
  if (except) statement = statement.where('token_sha256', '<>', except);
  await statement.execute();
}
