import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Credentials, Me, Role, Session } from '@tidemark/contracts';
import { callApi, setCsrfToken } from './api-client.ts';
import { ApiError } from './api-error.ts';

/** Who is signed in, or null. Rejects only when the api cannot be asked. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  retry: false,
  async queryFn({ signal }): Promise<Me | null> {
    try {
      const me = await callApi<Me>('/api/auth/me', { signal, anonymous: true });
      setCsrfToken(me.csrfToken);
      return me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

export async function signIn(credentials: Credentials): Promise<Me> {
  const session = await callApi<Session>('/api/auth/login', {
    method: 'POST',
    body: credentials,
    anonymous: true,
  });
  setCsrfToken(session.csrfToken);
  return { user: session.user, csrfToken: session.csrfToken };
}

export async function signOut(): Promise<void> {
  await callApi('/api/auth/logout', { method: 'POST', anonymous: true });
  setCsrfToken(null);
}

/** What a role may do. The api enforces it; the console only explains. */
export function permissionsOf(role: Role | undefined): {
  readonly manageUsers: boolean;
  readonly writeReviews: boolean;
} {
  return { manageUsers: role === 'admin', writeReviews: role === 'admin' || role === 'operator' };
}

export function useMe(): Me | null {
  return useQuery(sessionQuery).data ?? null;
}
