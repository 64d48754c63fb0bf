import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../shared/api-error.ts';

/** Failures that pass by themselves are tried again once before the page says so; polling goes on anyway. */
const retriesMax = 1;

export function createAppQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 1000,
        retry: (failureCount, error) =>
          failureCount < retriesMax && !(error instanceof ApiError && error.isRefusal),
        retryDelay: 600,
      },
    },
  });
}
