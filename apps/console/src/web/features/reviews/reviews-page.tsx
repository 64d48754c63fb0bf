import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Review } from '@tidemark/contracts';
import { History, MessageSquareText } from 'lucide-react';
import { useMemo } from 'react';
import { Button } from '../../shared/ui/button.tsx';
import { Failure, StaleBanner } from '../../shared/ui/failure.tsx';
import { Instant } from '../../shared/ui/instant.tsx';
import { Notice, PageHeader } from '../../shared/ui/page.tsx';
import { Skeleton } from '../../shared/ui/skeleton.tsx';
import { useTitle } from '../../shared/use-title.ts';
import { PendingList } from './pending-list.tsx';
import { reviewsQuery } from './review-data.ts';
import { ReviewForm } from './review-form.tsx';
import './reviews.css';
import { Stars } from './stars.tsx';
import { hasUnprocessed, usePendingReviews } from './use-pending-reviews.ts';

/** While a review is on its way the list is asked for often, else now and then. */
const eagerMs = 1000;
const calmMs = 10_000;

export function ReviewsPage() {
  useTitle('Reviews');
  const query = useInfiniteQuery({
    ...reviewsQuery,
    refetchInterval: () => (hasUnprocessed() ? eagerMs : calmMs),
  });
  const reviews = useMemo(() => query.data?.pages.flatMap(page => page.items), [query.data]);
  const pending = usePendingReviews(reviews);
  const retry = () => void query.refetch();
  return (
    <div className="page">
      <PageHeader
        title="Reviews"
        lead="Each review is an event: accepted by the broker, then processed into the database exactly once."
      />
      <div className="review-columns">
        <ReviewForm onAccepted={retry} />
        <div>
          <PendingList pending={pending} />
          {query.isError && reviews && <StaleBanner error={query.error} onRetry={retry} />}
          <section className="panel" aria-labelledby="processed-title">
            <div className="panel-head">
              <h2 id="processed-title">Processed</h2>
            </div>
            {query.isPending && <Skeleton rows={5} height={72} />}
            {query.isError && !reviews && (
              <Failure
                what="The reviews could not be loaded"
                error={query.error}
                onRetry={retry}
                retrying={query.isFetching}
              />
            )}
            {reviews && <ReviewList reviews={reviews} />}
            {query.hasNextPage && (
              <div className="list-end">
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show older
                </Button>
              </div>
            )}
          </section>
        </div>
      </div>
    </div>
  );
}

function ReviewList({ reviews }: { readonly reviews: readonly Review[] }) {
  if (reviews.length === 0) {
    return (
      <Notice icon={<MessageSquareText size={22} />} title="No review yet">
        <p>Write the first one here, or have the producer send some:</p>
        <code>curl -X POST 'http://127.0.0.1:8000/events/batch?count=100'</code>
      </Notice>
    );
  }
  return (
    <ul className="reviews">
      {reviews.map(review => (
        <li key={review.reviewId} className="review">
          <div className="review-head">
            <Stars rating={review.rating} />
            <span className="mono review-key">{review.userKey}</span>
            <span className="muted">
              <Instant at={review.createdAt} />
            </span>
            <Link
              className="icon-button"
              to="/rows/$database/$table/$key"
              params={{ database: 'sre_app', table: 'reviews', key: review.reviewId }}
              search={{}}
              aria-label={`History of review ${review.reviewId}`}
              title="Row history"
            >
              <History size={15} />
            </Link>
          </div>
          <p className="review-text">{review.text === '' ? <i className="muted">no text</i> : review.text}</p>
        </li>
      ))}
    </ul>
  );
}
