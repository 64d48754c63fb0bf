import type { Review } from '@tidemark/contracts';
import { useEffect, useSyncExternalStore } from 'react';
import { type PendingReview, settle } from './pending-reviews.ts';

/** Reviews on their way outlive the page, so that one can look around and come back. */
let pending: readonly PendingReview[] = [];
const listeners = new Set<() => void>();
const pendingMax = 5;

function set(next: readonly PendingReview[]): void {
  if (next === pending) return;
  pending = next;
  for (const listener of listeners) listener();
}

export function addPending(review: PendingReview): void {
  set([review, ...pending].slice(0, pendingMax));
}

export function dismissPending(reviewId: string): void {
  set(pending.filter(each => each.accepted.reviewId !== reviewId));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function hasUnprocessed(): boolean {
  return pending.some(each => each.processedAtMs === undefined);
}

/** The reviews on their way, settled against what the list has. */
export function usePendingReviews(reviews: readonly Review[] | undefined): readonly PendingReview[] {
  useEffect(() => {
    if (reviews) set(settle(pending, reviews, Date.now()));
  }, [reviews]);
  return useSyncExternalStore(subscribe, () => pending);
}
