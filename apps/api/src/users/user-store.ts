import type { Role, User } from '@tidemark/contracts';
import type { Kysely, Transaction } from 'kysely';
import { endSessionsOf } from '../auth/session-store.ts';
import { ApiError, notFound } from '../http/api-error.ts';
import { isUniqueViolation } from '../store/database-failure.ts';
import type { Schema } from '../store/schema.ts';
import { toUser, userColumns } from './user-row.ts';

/** What a sign-in needs to know of an account. */
export interface Account {
  readonly user: User;
  readonly passwordHash: string | null;
}

export interface NewAccount {
  readonly email: string;
  readonly passwordHash: string;
  readonly role: Role;
  readonly traceparent: string;
}

export interface AccountChanges {
  readonly email?: string;
  readonly passwordHash?: string;
  readonly role?: Role;
  readonly traceparent: string;
  /** Session of the person who makes the change; it goes on when the others of the account end. */
  readonly keepSession: Buffer;
}

export interface UserStore {
  /** Users with an id above `after`, in order of their ids. */
  list(after: number, limit: number): Promise<readonly User[]>;
  find(id: number): Promise<User | undefined>;
  findAccount(by: { readonly email: string } | { readonly id: number }): Promise<Account | undefined>;
  /** Throws 409 `EMAIL_TAKEN`. */
  create(account: NewAccount): Promise<User>;
  /** Throws 404, 409 `EMAIL_TAKEN`, 409 `LAST_ADMIN`. */
  update(id: number, changes: AccountChanges): Promise<User>;
  /** Replaces a hash by a stronger one of the same password, unless the password was changed meanwhile. */
  renewHash(id: number, from: string, to: string): Promise<void>;
  /** Throws 404, 409 `LAST_ADMIN`. */
  remove(id: number): Promise<User>;
}

export function createUserStore(queries: Kysely<Schema>): UserStore {
  return {
    async list(after, limit) {
      const rows = await queries
        .selectFrom('users')
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .select(userColumns)
        .execute();
      return rows.map(toUser);
    },
    async find(id) {
      const row = await queries
        .selectFrom('users')
        .where('id', '=', id)
        .select(userColumns)
        .executeTakeFirst();
      return row && toUser(row);
    },
    async findAccount(by) {
      const select = queries.selectFrom('users').select([...userColumns, 'password_hash']);
      const row = await ('email' in by
        ? select.where('email', '=', by.email)
        : select.where('id', '=', by.id)
      ).executeTakeFirst();
      return row && { user: toUser(row), passwordHash: row.password_hash };
    },
    async create({ email, passwordHash, role, traceparent }) {
      const values = { email, password_hash: passwordHash, role, trace_context: traceparent };
      const insert = queries.insertInto('users').values(values).returning(userColumns);
      return toUser(await refuseTakenEmail(insert.executeTakeFirstOrThrow()));
    },
    update: (id, changes) => queries.transaction().execute(transaction => update(transaction, id, changes)),
    async renewHash(id, from, to) {
      await queries
        .updateTable('users')
        .set({ password_hash: to })
        .where('id', '=', id)
        .where('password_hash', '=', from)
        .execute();
    },
    remove: id => queries.transaction().execute(transaction => remove(transaction, id)),
  };
}

async function update(transaction: Transaction<Schema>, id: number, changes: AccountChanges): Promise<User> {
  const { email, passwordHash, role, traceparent, keepSession } = changes;
  if (role !== undefined && role !== 'admin') await refuseLastAdmin(transaction, id);
  const before = await transaction
    .selectFrom('users')
    .where('id', '=', id)
    .forUpdate()
    .select('role')
    .executeTakeFirst();
  if (!before) throw notFound(`user ${id}`);
  const row = await refuseTakenEmail(
    transaction
      .updateTable('users')
      .set({
        trace_context: traceparent,
        ...(email === undefined ? {} : { email }),
        ...(passwordHash === undefined ? {} : { password_hash: passwordHash }),
        ...(role === undefined ? {} : { role }),
      })
      .where('id', '=', id)
      .returning(userColumns)
      .executeTakeFirstOrThrow(),
  );
  const otherRights = role !== undefined && role !== before.role;
  if (passwordHash !== undefined || otherRights) await endSessionsOf(transaction, id, keepSession);
  return toUser(row);
}

async function remove(transaction: Transaction<Schema>, id: number): Promise<User> {
  await refuseLastAdmin(transaction, id);
  const row = await transaction
    .deleteFrom('users')
    .where('id', '=', id)
    .returning(userColumns)
    .executeTakeFirst();
  if (!row) throw notFound(`user ${id}`);
  return toUser(row);
}

/**
 * Throws when the user is the only administrator. The rows of all administrators are locked, in one order, so that
 * two of them who demote each other at the same moment cannot both succeed.
 */
async function refuseLastAdmin(transaction: Transaction<Schema>, id: number): Promise<void> {
  const admins = await transaction
    .selectFrom('users')
    .where('role', '=', 'admin')
    .orderBy('id')
    .forUpdate()
    .select('id')
    .execute();
  if (admins.length > 1 || admins[0]?.id !== id) return;
  throw new ApiError(409, 'LAST_ADMIN', 'this is the only administrator', {
    hint: 'Make somebody else an administrator first.',
  });
}

async function refuseTakenEmail<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ApiError(409, 'EMAIL_TAKEN', 'there is an account with this e-mail address already', {
      cause: error,
      field: 'email',
      hint: 'Sign in, or use another address.',
    });
  }
}
