import { Credentials, Me, Registration, Session, type User } from '@tidemark/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ActionLog } from '../http/action-log.ts';
import type { Api } from '../http/api.ts';
import { answers } from '../http/answers.ts';
import { ApiError } from '../http/api-error.ts';
import type { UserStore } from '../users/user-store.ts';
import type { Passwords } from './passwords.ts';
import { principalOf } from './principal.ts';
import { clearSessionCookie, setSessionCookie } from './session-cookie.ts';
import type { SessionStore } from './session-store.ts';
import { createSignIn } from './sign-in.ts';
import type { SignInLimit } from './sign-in-limit.ts';

export interface AuthParts {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly passwords: Passwords;
  readonly signInLimit: SignInLimit;
  readonly registrationLimit: SignInLimit;
  readonly logAction: ActionLog;
  readonly selfRegistration: boolean;
  readonly cookieSecure: boolean;
  /** False when other machines can reach the api; then the documented password opens nothing. */
  readonly defaultAccountUsable: boolean;
}

const tags = ['sign-in'];

export function authRoutes(api: Api, parts: AuthParts): void {
  const signIn = createSignIn(parts);
  registerRoute(api, parts);
  loginRoute(api, parts, signIn);
  logoutRoute(api, parts);
  const schema = { tags, summary: 'Who is signed in', response: answers({ 200: Me }) };
  api.get('/api/auth/me', { schema }, async request => {
    const { user, csrfToken, via } = principalOf(request);
    return { user, csrfToken: via === 'cookie' ? csrfToken : null };
  });
}

function registerRoute(api: Api, parts: AuthParts): void {
  const schema = {
    tags,
    summary: 'Create an account with the role viewer, and sign in',
    body: Registration,
    response: answers({ 201: Session }),
  };
  api.post('/api/auth/register', { schema, config: { access: 'public' } }, async (request, reply) => {
    if (!parts.selfRegistration) throw registrationClosed();
    const email = request.body.email.toLowerCase();
    parts.registrationLimit.take(email, request.ip);
    const passwordHash = await parts.passwords.hash(request.body.password);
    const { traceparent } = request.trace;
    const user = await parts.users.create({ email, passwordHash, role: 'viewer', traceparent });
    parts.logAction(request, 'register', { userId: user.id, subject: `user:${user.id}` });
    return reply.code(201).send(await beginSession(parts, request, reply, user));
  });
}

function registrationClosed(): ApiError {
  return new ApiError(403, 'REGISTRATION_CLOSED', 'people cannot create accounts by themselves here', {
    hint: 'Ask an administrator for an account.',
  });
}

function loginRoute(api: Api, parts: AuthParts, signIn: (request: FastifyRequest) => Promise<User>): void {
  const schema = {
    tags,
    summary: 'Sign in',
    description:
      'The browser keeps the session in an HttpOnly cookie; scripts send the token as a bearer token.',
    body: Credentials,
    response: answers({ 200: Session }),
  };
  api.post('/api/auth/login', { schema, config: { access: 'public' } }, async (request, reply) => {
    const user = await signIn(request);
    parts.logAction(request, 'sign_in', { userId: user.id, subject: `user:${user.id}` });
    return beginSession(parts, request, reply, user);
  });
}

function logoutRoute(api: Api, parts: AuthParts): void {
  const schema = { tags, summary: 'End this session', response: answers({ 204: Type.Null() }) };
  api.post('/api/auth/logout', { schema }, async (request, reply) => {
    await parts.sessions.end(principalOf(request).tokenSha256);
    parts.logAction(request, 'sign_out');
    clearSessionCookie(request, reply, parts.cookieSecure);
    return reply.code(204).send(null);
  });
}

async function beginSession(
  parts: AuthParts,
  request: FastifyRequest,
  reply: FastifyReply,
  user: User,
): Promise<Session> {
  const session = await parts.sessions.begin(user.id, request.ip);
  setSessionCookie(request, reply, parts.cookieSecure, session);
  const { token, csrfToken, expiresAt } = session;
  return { user, token, csrfToken, expiresAt: expiresAt.toISOString() };
}
