import { randomUUID } from 'node:crypto';
import type { ReviewCreated } from '@tidemark/contracts';

/** A review event; every one has ids of its own. */
export function review(fields: Partial<ReviewCreated['payload']> = {}): ReviewCreated {
  return {
    event_id: randomUUID(),
    event_type: 'review_created',
    key: 'user:1',
    ts: '2026-11-21T10:00:00.000Z',
    schema_version: 1,
    payload: { review_id: `r-${randomUUID()}`, rating: 4, text: 'good', ...fields },
  };
}

export function reviews(count: number): ReviewCreated[] {
  return Array.from({ length: count }, () => review());
}
