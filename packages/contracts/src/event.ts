import { type Static, Type } from 'typebox';

/** What a review event says. A rating outside 1–5 is well-formed but violates the business rule. */
export const ReviewPayload = Type.Object({
  review_id: Type.String({ minLength: 1 }),
  rating: Type.Integer(),
  text: Type.String(),
});
export type ReviewPayload = Static<typeof ReviewPayload>;

/** An event on `events.main`. Unknown fields survive. */
export const ReviewCreated = Type.Object({
  event_id: Type.String({ format: 'uuid', description: 'UUIDv7; identifies the event for deduplication' }),
  event_type: Type.Literal('review_created'),
  key: Type.String({ minLength: 1, description: 'Partition key, for example user:123' }),
  ts: Type.String({ format: 'date-time' }),
  schema_version: Type.Integer({ minimum: 1 }),
  payload: ReviewPayload,
});
export type ReviewCreated = Static<typeof ReviewCreated>;
