import type { User } from '@tidemark/contracts';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.ts';

/** Who makes a request, and how that was proved. */
export interface Principal {
  readonly user: User;
  /** Identity of the session; the token itself is not kept. */
  readonly tokenSha256: Buffer;
  readonly csrfToken: string;
  readonly via: 'cookie' | 'bearer';
}

/** 401 for requests that nobody signed-in makes. */
export function signInNeeded(message = 'nobody is signed in'): ApiError {
  return new ApiError(401, 'NOT_SIGNED_IN', message, {
    hint: 'Sign in with POST /api/auth/login and send the token as Authorization: Bearer …',
  });
}

/** Who makes the request, on a route that only signed-in users reach. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw signInNeeded();
  return request.principal;
}
