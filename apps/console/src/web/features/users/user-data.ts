import { infiniteQueryOptions } from '@tanstack/react-query';
import type { NewUser, User, UserChanges } from '@tidemark/contracts';
import { callApi, withQuery } from '../../shared/api-client.ts';

export interface UserPage {
  readonly items: readonly User[];
  readonly nextCursor: string | null;
}

export const usersQuery = infiniteQueryOptions({
  queryKey: ['users'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ signal, pageParam }) =>
    callApi<UserPage>(withQuery('/api/users', { limit: 50, cursor: pageParam }), { signal }),
  getNextPageParam: page => page.nextCursor ?? undefined,
});

export function createUser(user: NewUser): Promise<User> {
  return callApi<User>('/api/users', { method: 'POST', body: user });
}

export function updateUser(id: number, changes: UserChanges): Promise<User> {
  return callApi<User>(`/api/users/${id}`, { method: 'PATCH', body: changes });
}

export function deleteUser(id: number): Promise<void> {
  return callApi<void>(`/api/users/${id}`, { method: 'DELETE' });
}

/** Why a password would be refused, before the api is asked; undefined when it would not. */
export function passwordFault(password: string): string | undefined {
  if (password.length < 8) return 'At least 8 characters.';
  if (new TextEncoder().encode(password).length > 72) return 'At most 72 bytes: longer ones would be cut.';
  return undefined;
}
