import { Check, CircleDashed, TriangleAlert, X } from 'lucide-react';
import { formatSeconds } from '../../shared/format.ts';
import { IconButton } from '../../shared/ui/button.tsx';
import { useNow } from '../../shared/use-now.ts';
import { isSlow, type PendingReview } from './pending-reviews.ts';
import { Stars } from './stars.tsx';
import { dismissPending } from './use-pending-reviews.ts';

/** What was written here, step by step until it is in the database. */
export function PendingList({ pending }: { readonly pending: readonly PendingReview[] }) {
  return (
    <div aria-live="polite">
      {pending.map(review => (
        <PendingCard key={review.accepted.reviewId} review={review} />
      ))}
    </div>
  );
}

function PendingCard({ review }: { readonly review: PendingReview }) {
  const nowMs = useNow();
  const { processedAtMs } = review;
  const slow = isSlow(review, nowMs);
  return (
    <article className={processedAtMs === undefined ? 'panel pending' : 'panel pending pending-done'}>
      <div className="review-head">
        <Stars rating={review.rating} />
        <span className="mono review-key">{review.accepted.key}</span>
        <IconButton label="Dismiss" onClick={() => dismissPending(review.accepted.reviewId)}>
          <X size={15} />
        </IconButton>
      </div>
      {review.text !== '' && <p className="review-text">{review.text}</p>}
      <ol className="steps">
        <li className="step-done">
          <Check size={14} aria-hidden="true" />
          <span>
            <b>Accepted.</b> The broker has event <span className="mono">{review.accepted.eventId}</span>
          </span>
        </li>
        {processedAtMs === undefined ? (
          <li className={slow ? 'step-slow' : 'step-now'}>
            {slow ? (
              <TriangleAlert size={14} aria-hidden="true" />
            ) : (
              <CircleDashed size={14} aria-hidden="true" />
            )}
            <span>
              {slow
                ? 'Still on its way. See whether the consumer runs: the event waits on the broker.'
                : 'On its way to the database…'}
            </span>
          </li>
        ) : (
          <li className="step-done">
            <Check size={14} aria-hidden="true" />
            <span>
              <b>Processed.</b> In the database within{' '}
              {formatSeconds((processedAtMs - review.acceptedAtMs) / 1000)}
            </span>
          </li>
        )}
      </ol>
    </article>
  );
}
