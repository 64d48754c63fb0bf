import { NewUser, type Role, User, UserChanges, UserPage } from '@tidemark/contracts';
import { Type } from 'typebox';
import { mayUse } from '../auth/access.ts';
import type { Passwords } from '../auth/passwords.ts';
import { type Principal, principalOf } from '../auth/principal.ts';
import type { ActionLog } from '../http/action-log.ts';
import type { Api } from '../http/api.ts';
import { answers, PageQuery, pageLimitDefault } from '../http/answers.ts';
import { ApiError, notFound } from '../http/api-error.ts';
import { decodeCursor, encodeCursor, idPattern } from '../http/cursor.ts';
import type { UserStore } from './user-store.ts';

export interface UserParts {
  readonly users: UserStore;
  readonly passwords: Passwords;
  readonly logAction: ActionLog;
}

const tags = ['users'];
const UserId = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) });

export function userRoutes(api: Api, parts: UserParts): void {
  readRoutes(api, parts);
  createRoute(api, parts);
  updateRoute(api, parts);
  removeRoute(api, parts);
}

function readRoutes(api: Api, { users }: UserParts): void {
  const list = { tags, summary: 'List users', querystring: PageQuery, response: answers({ 200: UserPage }) };
  api.get('/api/users', { schema: list }, async request => {
    const { cursor, limit = pageLimitDefault } = request.query;
    const after = cursor === undefined ? 0 : Number(decodeCursor(cursor, [idPattern])[0]);
    const rows = await users.list(Math.min(after, 2 ** 31 - 1), limit + 1);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return { items, nextCursor: rows.length > limit && last ? encodeCursor([String(last.id)]) : null };
  });
  const one = { tags, summary: 'Show a user', params: UserId, response: answers({ 200: User }) };
  api.get('/api/users/:id', { schema: one }, async request => {
    const user = await users.find(request.params.id);
    if (!user) throw notFound(`user ${request.params.id}`);
    return user;
  });
}

function createRoute(api: Api, { users, passwords, logAction }: UserParts): void {
  const schema = { tags, summary: 'Create a user', body: NewUser, response: answers({ 201: User }) };
  api.post('/api/users', { schema, config: { access: 'admin' } }, async (request, reply) => {
    const { email, password, role = 'viewer' } = request.body;
    const passwordHash = await passwords.hash(password);
    const { traceparent } = request.trace;
    const user = await users.create({ email: email.toLowerCase(), passwordHash, role, traceparent });
    logAction(request, 'user_create', { subject: `user:${user.id}` });
    return reply.code(201).send(user);
  });
}

function updateRoute(api: Api, { users, passwords, logAction }: UserParts): void {
  const schema = {
    tags,
    summary: 'Change a user',
    description:
      'Administrators change everything of everybody. Others change their own e-mail address and password, and ' +
      'prove that with currentPassword. A new password or role ends the other sessions of the user.',
    params: UserId,
    body: UserChanges,
    response: answers({ 200: User }),
  };
  api.patch('/api/users/:id', { schema }, async request => {
    const { id } = request.params;
    const { email, password, role, currentPassword } = request.body;
    const principal = principalOf(request);
    refuseForeignChange(principal, id, role);
    if (!mayUse(principal.user.role, 'admin') || currentPassword !== undefined) {
      await proveOwnership({ users, passwords }, principal, currentPassword);
    }
    const fields = Object.entries({ email, password, role }).flatMap(([name, value]) =>
      value === undefined ? [] : [name],
    );
    if (fields.length === 0) throw nothingToChange();
    const user = await users.update(id, {
      ...(email === undefined ? {} : { email: email.toLowerCase() }),
      ...(password === undefined ? {} : { passwordHash: await passwords.hash(password) }),
      ...(role === undefined ? {} : { role }),
      traceparent: request.trace.traceparent,
      keepSession: principal.tokenSha256,
    });
    logAction(request, 'user_update', { subject: `user:${id}`, fields });
    return user;
  });
}

function removeRoute(api: Api, { users, logAction }: UserParts): void {
  const schema = { tags, summary: 'Delete a user', params: UserId, response: answers({ 204: Type.Null() }) };
  api.delete('/api/users/:id', { schema, config: { access: 'admin' } }, async (request, reply) => {
    const user = await users.remove(request.params.id);
    logAction(request, 'user_delete', { subject: `user:${user.id}` });
    return reply.code(204).send(null);
  });
}

function refuseForeignChange(principal: Principal, id: number, role: Role | undefined): void {
  if (mayUse(principal.user.role, 'admin')) return;
  if (principal.user.id === id && role === undefined) return;
  throw new ApiError(403, 'FORBIDDEN', 'only administrators change other accounts and roles', {
    hint: 'Ask an administrator.',
  });
}

/** A session left open must not be enough to take the account over for good. */
async function proveOwnership(
  { users, passwords }: Pick<UserParts, 'users' | 'passwords'>,
  principal: Principal,
  currentPassword: string | undefined,
): Promise<void> {
  if (currentPassword !== undefined) {
    const account = await users.findAccount({ id: principal.user.id });
    if (await passwords.verify(currentPassword, account?.passwordHash ?? null)) return;
  }
  throw new ApiError(403, 'CURRENT_PASSWORD_WRONG', 'currentPassword is missing or wrong', {
    field: 'currentPassword',
  });
}

function nothingToChange(): ApiError {
  return new ApiError(400, 'NOTHING_TO_CHANGE', 'the body names nothing to change', {
    hint: 'Send email, password or role.',
  });
}
