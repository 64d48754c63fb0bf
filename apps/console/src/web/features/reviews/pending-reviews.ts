import type { Review, ReviewAccepted } from '@tidemark/contracts';

/** A review that was written here, on its way through the broker and the consumer. */
export interface PendingReview {
  readonly accepted: ReviewAccepted;
  readonly rating: number;
  readonly text: string;
  /** When the broker acknowledged its event, milliseconds since the Unix epoch. */
  readonly acceptedAtMs: number;
  /** When it was first seen in the list; undefined while it is on its way. */
  readonly processedAtMs?: number;
}

/** Marks those that the list now has. Returns the same array when nothing changed. */
export function settle(
  pending: readonly PendingReview[],
  reviews: readonly Review[],
  nowMs: number,
): readonly PendingReview[] {
  const arrived = new Set(reviews.map(review => review.reviewId));
  const isNew = (each: PendingReview) =>
    each.processedAtMs === undefined && arrived.has(each.accepted.reviewId);
  if (!pending.some(isNew)) return pending;
  return pending.map(each => (isNew(each) ? { ...each, processedAtMs: nowMs } : each));
}

/** After this long without a trace something is worth looking at: the consumer may be down. */
export const slowAfterMs = 15_000;

export function isSlow(pending: PendingReview, nowMs: number): boolean {
  return pending.processedAtMs === undefined && nowMs - pending.acceptedAtMs > slowAfterMs;
}
