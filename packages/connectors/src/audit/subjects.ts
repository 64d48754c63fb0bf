import { pipelines } from '@tidemark/contracts/names';
import type { Decision, SourceRecord } from '@tidemark/pipeline';
import { addressedTo } from '../codec/addressed.ts';
import { decodeChange } from '../codec/change-event.ts';
import { decodeReview } from '../codec/review-event.ts';
import { decodeDeadLetter } from '../kafka/dead-letters.ts';
import type { Pool } from '../postgres/pool.ts';
import { processedEventsHorizonMs } from '../postgres/processed-events.ts';

/** What an event leaves behind. */
export interface Trace {
  /** The id that its effect carries. */
  readonly id: string;
  /** Names the effect itself, for when the id may have been forgotten. */
  readonly effect?: string;
}

/** What an audit has to know about a pipeline: how its records become ids, and where effects keep them. */
export interface AuditSubject {
  /** The record as the pipeline decides it, with the trace that its effect leaves. */
  readonly decide: (record: SourceRecord) => Decision<Trace>;
  /** Query for the ids of a list that have had their effect; one parameter, one column `id`. */
  readonly ids: string;
  /** The same for the effects themselves. */
  readonly effects?: string;
  /** Records older than this may have had their effect without its id being remembered. */
  readonly horizonMs?: (pool: Pool) => Promise<number | undefined>;
}

/** The pipelines whose sink keeps ids, which is what makes an audit possible. */
export const auditSubjects: Readonly<Record<string, AuditSubject>> = {
  [pipelines.reviewsToPostgres]: {
    decide: addressedTo(pipelines.reviewsToPostgres, record =>
      traced(decodeReview(record), event => ({
        id: event.event_id.toLowerCase(),
        effect: event.payload.review_id,
      })),
    ),
    // Looked up one by one, so that each id is sought in its own partition only.
    ids: `SELECT wanted.id::text FROM unnest($1::uuid[]) AS wanted (id),
      LATERAL (SELECT FROM processed_events WHERE event_id = wanted.id LIMIT 1) AS found`,
    effects: 'SELECT review_id AS id FROM reviews WHERE review_id = ANY($1::text[])',
    horizonMs: processedEventsHorizonMs,
  },
  [pipelines.changesToStore]: {
    decide: addressedTo(pipelines.changesToStore, record =>
      traced(decodeChange(record), event => ({ id: event.changeId })),
    ),
    ids: 'SELECT change_id AS id FROM change_events WHERE change_id = ANY($1::text[])',
  },
  [pipelines.deadLettersToPostgres]: {
    decide: record => traced(decodeDeadLetter(record), letter => ({ id: letter.eventId })),
    ids: 'SELECT event_id::text AS id FROM dlq_events WHERE event_id = ANY($1::uuid[])',
  },
};

function traced<E>(decision: Decision<E>, traceOf: (event: E) => Trace): Decision<Trace> {
  return decision.fate === 'deliver' ? { fate: 'deliver', event: traceOf(decision.event) } : decision;
}
