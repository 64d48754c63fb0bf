import type { FastifyReply, FastifyRequest } from 'fastify';

/** Name of the cookie that carries a browser's session token. */
export const sessionCookie = 'tidemark_session';

/** How the cookie is kept: out of reach of scripts, and away from requests that other sites cause. */
function cookieOptions(request: FastifyRequest, alwaysSecure: boolean) {
  const secure = alwaysSecure || request.protocol === 'https';
  return { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
}

export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  alwaysSecure: boolean,
  session: { readonly token: string; readonly expiresAt: Date },
): void {
  const expires = session.expiresAt;
  reply.setCookie(sessionCookie, session.token, { ...cookieOptions(request, alwaysSecure), expires });
}

export function clearSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  alwaysSecure: boolean,
): void {
  reply.clearCookie(sessionCookie, cookieOptions(request, alwaysSecure));
}
