import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.ts';
import type { Api } from '../http/api.ts';
import { mayUse } from './access.ts';
import { type Principal, signInNeeded } from './principal.ts';
import type { SessionStore } from './session-store.ts';
import { sameSecret } from './session-token.ts';
import { sessionCookie } from './session-cookie.ts';

/** RFC 9110 §9.2.1: these change nothing, so another site gains nothing by causing them. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Puts every route of this context behind sign-in and the role that its `access` names, before a body is read.
 * Routes that say nothing are for every signed-in user: forgetting it never opens one.
 */
export function requireSignIn(api: Api, sessions: SessionStore): void {
  api.addHook('onRequest', async request => {
    const access = request.routeOptions.config.access ?? 'viewer';
    if (access === 'public') return;
    const principal = await authenticate(request, sessions);
    if (principal.via === 'cookie') requireCsrfToken(request, principal);
    if (!mayUse(principal.user.role, access)) {
      throw new ApiError(403, 'FORBIDDEN', `this needs the role ${access}; yours is ${principal.user.role}`, {
        hint: 'Ask an administrator.',
      });
    }
    request.principal = principal;
  });
}

async function authenticate(request: FastifyRequest, sessions: SessionStore): Promise<Principal> {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? request.cookies[sessionCookie];
  if (token === undefined) throw signInNeeded();
  const session = await sessions.find(token);
  if (!session) throw signInNeeded('the session has ended');
  return { ...session, via: bearer === undefined ? 'cookie' : 'bearer' };
}

/** Another site can make a browser send our cookie, but it can neither read the token nor set the header. */
function requireCsrfToken(request: FastifyRequest, principal: Principal): void {
  if (safeMethods.has(request.method)) return;
  const given = request.headers['x-csrf-token'];
  if (typeof given === 'string' && sameSecret(given, principal.csrfToken)) return;
  throw new ApiError(403, 'CSRF_TOKEN_INVALID', 'the X-CSRF-Token header is missing or wrong', {
    hint: 'Send csrfToken of the sign-in, or of GET /api/auth/me, with every unsafe request.',
  });
}
