import type { ReviewCreated } from '@tidemark/contracts';

const text = 'Arrived early and works as described, even the small parts. '.repeat(2);

/** Review events of about 300 bytes with time-ordered ids, as producers make them. */
export function reviewEvent(index: number): ReviewCreated {
  const low = index.toString(16).padStart(12, '0');
  const high = (Date.UTC(2026, 10, 21) + Math.floor(index / 1000)).toString(16).padStart(12, '0');
  const id = `${high.slice(0, 8)}-${high.slice(8, 12)}-7000-8000-${low}`;
  return {
    event_id: id,
    event_type: 'review_created',
    key: `user:${index % 1000}`,
    ts: '2026-11-21T10:00:00.000Z',
    schema_version: 1,
    payload: { review_id: `r-${id}`, rating: 1 + (index % 5), text },
  };
}
