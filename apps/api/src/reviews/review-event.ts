import { randomBytes } from 'node:crypto';
import { eventSchemaVersion, headers, type ReviewCreated, topics } from '@tidemark/contracts';
import type { OutgoingEvent } from '../broker/event-broker.ts';
import { uuidV7 } from './uuid-v7.ts';

export interface ReviewDraft {
  readonly rating: number;
  readonly text: string;
  /** Partition key: the reviews of one key keep their order. */
  readonly key: string;
}

/** The event that tells of a new review. Every call makes another event, also for the same draft. */
export function reviewCreated(draft: ReviewDraft, nowMs: number): ReviewCreated {
  return {
    event_id: uuidV7(nowMs, randomBytes(10)),
    event_type: 'review_created',
    key: draft.key,
    ts: new Date(nowMs).toISOString(),
    schema_version: eventSchemaVersion,
    payload: { review_id: `r-${uuidV7(nowMs, randomBytes(10))}`, rating: draft.rating, text: draft.text },
  };
}

/** The event as it goes to the broker. */
export function toMessage(event: ReviewCreated, traceparent: string): OutgoingEvent {
  return {
    topic: topics.events,
    key: event.key,
    value: JSON.stringify(event),
    headers: { [headers.traceparent]: traceparent },
  };
}
