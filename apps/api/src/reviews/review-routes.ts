import { NewReview, Review, ReviewAccepted, ReviewPage } from '@tidemark/contracts';
import type { Clock } from '@tidemark/kernel';
import { Type } from 'typebox';
import { principalOf } from '../auth/principal.ts';
import type { EventBroker } from '../broker/event-broker.ts';
import type { ActionLog } from '../http/action-log.ts';
import type { Api } from '../http/api.ts';
import { answers, PageQuery, pageLimitDefault } from '../http/answers.ts';
import { ApiError, notFound } from '../http/api-error.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { reviewCreated, toMessage } from './review-event.ts';
import type { ReviewPosition, ReviewStore } from './review-store.ts';

export interface ReviewParts {
  readonly reviews: ReviewStore;
  readonly broker: Pick<EventBroker, 'publish'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly logAction: ActionLog;
}

const tags = ['reviews'];
const cursorParts = [/^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, /^[^\0]{1,1000}$/] as const;

export function reviewRoutes(api: Api, parts: ReviewParts): void {
  writeRoute(api, parts);
  readRoutes(api, parts);
}

function writeRoute(api: Api, { broker, clock, logAction }: ReviewParts): void {
  const schema = {
    tags,
    summary: 'Write a review',
    description:
      'Answers once the broker has acknowledged the event. The review is in the list when the event was processed.',
    body: NewReview,
    response: answers({ 202: ReviewAccepted }),
  };
  api.post('/api/reviews', { schema, config: { access: 'operator' } }, async (request, reply) => {
    const { rating, text, userKey } = request.body;
    refuseUnstorable({ text, userKey });
    const key = userKey ?? `user:${principalOf(request).user.id}`;
    const event = reviewCreated({ rating, text, key }, clock.now());
    await broker.publish(toMessage(event, request.trace.traceparent));
    const reviewId = event.payload.review_id;
    logAction(request, 'review_create', { subject: `review:${reviewId}` });
    return reply.code(202).send({ eventId: event.event_id, reviewId, key });
  });
}

/** PostgreSQL has no zero byte in its texts: the event would be accepted here and end as a dead letter. */
function refuseUnstorable(texts: Readonly<Record<string, string | undefined>>): void {
  for (const [field, text] of Object.entries(texts)) {
    if (!text?.includes('\0')) continue;
    throw new ApiError(400, 'INVALID_INPUT', `${field} holds a character that cannot be stored`, {
      field,
      hint: 'Leave out zero bytes.',
    });
  }
}

function readRoutes(api: Api, { reviews }: ReviewParts): void {
  const list = {
    tags,
    summary: 'List processed reviews, newest first',
    querystring: PageQuery,
    response: answers({ 200: ReviewPage }),
  };
  api.get('/api/reviews', { schema: list }, async request => {
    const { cursor, limit = pageLimitDefault } = request.query;
    const rows = await reviews.list(cursor === undefined ? undefined : toPosition(cursor), limit + 1);
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1)?.position : undefined;
    return {
      items: page.map(row => row.review),
      nextCursor: last ? encodeCursor([last.createdAt, last.reviewId]) : null,
    };
  });
  const one = {
    tags,
    summary: 'Show a processed review',
    params: Type.Object({ reviewId: Type.String({ minLength: 1, maxLength: 1000 }) }),
    response: answers({ 200: Review }),
  };
  api.get('/api/reviews/:reviewId', { schema: one }, async request => {
    const review = await reviews.find(request.params.reviewId);
    if (!review) throw notFound('such review, or it was not processed yet');
    return review;
  });
}

function toPosition(cursor: string): ReviewPosition {
  const [createdAt = '', reviewId = ''] = decodeCursor(cursor, cursorParts);
  return { createdAt, reviewId };
}
