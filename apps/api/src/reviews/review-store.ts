import type { Review } from '@tidemark/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';

/** Where a page of reviews ends: the order is by time, and by id where times are equal. */
export interface ReviewPosition {
  /** Microseconds included: a time in milliseconds would skip or repeat rows within one millisecond. */
  readonly createdAt: string;
  readonly reviewId: string;
}

export interface ReviewStore {
  /** Reviews older than the position, newest first, each with its own position. */
  list(
    before: ReviewPosition | undefined,
    limit: number,
  ): Promise<readonly { readonly review: Review; readonly position: ReviewPosition }[]>;
  find(reviewId: string): Promise<Review | undefined>;
}

const exactTime = sql<string>`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const columns = ['review_id', 'user_key', 'rating', 'text', 'created_at'] as const;

export function createReviewStore(queries: Kysely<Schema>): ReviewStore {
  const select = queries.selectFrom('reviews').select(columns);
  return {
    async list(before, limit) {
      let page = select
        .select(exactTime.as('exact_time'))
        .orderBy('created_at', 'desc')
        .orderBy('review_id', 'desc')
        .limit(limit);
      if (before) {
        const position = sql`(${before.createdAt}::timestamptz, ${before.reviewId})`;
        page = page.where(sql<boolean>`(created_at, review_id) < ${position}`);
      }
      const rows = await page.execute();
      return rows.map(row => ({
        review: toReview(row),
        position: { createdAt: row.exact_time, reviewId: row.review_id },
      }));
    },
    async find(reviewId) {
      const row = await select.where('review_id', '=', reviewId).executeTakeFirst();
      return row && toReview(row);
    },
  };
}

function toReview(row: {
  readonly review_id: string;
  readonly user_key: string;
  readonly rating: number;
  readonly text: string;
  readonly created_at: Date;
}): Review {
  return {
    reviewId: row.review_id,
    userKey: row.user_key,
    rating: row.rating,
    text: row.text,
    createdAt: row.created_at.toISOString(),
  };
}
