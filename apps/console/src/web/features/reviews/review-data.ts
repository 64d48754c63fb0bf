import { infiniteQueryOptions } from '@tanstack/react-query';
import type { NewReview, Review, ReviewAccepted } from '@tidemark/contracts';
import { callApi, withQuery } from '../../shared/api-client.ts';

interface ReviewPage {
  readonly items: readonly Review[];
  readonly nextCursor: string | null;
}

export const reviewsQuery = infiniteQueryOptions({
  queryKey: ['reviews'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ signal, pageParam }) =>
    callApi<ReviewPage>(withQuery('/api/reviews', { limit: 30, cursor: pageParam }), { signal }),
  getNextPageParam: page => page.nextCursor ?? undefined,
});

export function postReview(review: NewReview): Promise<ReviewAccepted> {
  return callApi<ReviewAccepted>('/api/reviews', { method: 'POST', body: review });
}
