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
