import type { ErrorBody } from '@tidemark/contracts';

/** What the api answers while its database is away. */
export const unavailable: { readonly status: number; readonly body: ErrorBody } = {
  status: 503,
  body: {
    error: {
      code: 'DATABASE_UNAVAILABLE',
      message: 'The database does not answer.',
      hint: 'See what is wrong with: ./run.sh status',
    },
  },
};

/** Every page, what it shows with data, without, and when its data cannot be had. */
export const pages = [
  {
    path: '/',
    data: 'The books balance.',
    empty: 'No pipeline has run yet',
    source: '/api/overview',
    error: 'The overview could not be loaded',
  },
  {
    path: '/changes',
    data: '100 changes shown',
    empty: 'Waiting for the first change',
    source: '/api/changes',
    error: 'The changes could not be loaded',
  },
  {
    path: '/rows/sre_app/users/42',
    data: 'Version 5',
    empty: 'No version of this row is in the change store',
    source: '/api/changes',
    error: 'The row’s history could not be loaded',
  },
  {
    path: '/users',
    data: 'radia.perlman@example.com',
    empty: 'Nobody here yet',
    source: '/api/users',
    error: 'The users could not be loaded',
  },
  {
    path: '/reviews',
    data: 'Processed',
    empty: 'No review yet',
    source: '/api/reviews',
    error: 'The reviews could not be loaded',
  },
] as const;
