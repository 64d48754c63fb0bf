import { pipelines } from '@tidemark/contracts/names';
import type { Decision, SourceRecord } from '@tidemark/pipeline';
import { decodeChange } from '../codec/change-event.ts';
import { decodeReview } from '../codec/review-event.ts';
import { decodeDeadLetter } from '../kafka/dead-letters.ts';

/** What an audit has to know about a pipeline: how its records become ids, and where effects keep them. */
export interface AuditSubject {
  /** The record as the pipeline decides it, with the id that its effect carries. */
  readonly decide: (record: SourceRecord) => Decision<string>;
  /** Query for the ids of a list that have had their effect; one parameter, one column `id`. */
  readonly effects: string;
}

/** The pipelines whose sink keeps ids, which is what makes an audit possible. */
export const auditSubjects: Readonly<Record<string, AuditSubject>> = {
  [pipelines.reviewsToPostgres]: {
    decide: record => identify(decodeReview(record), event => event.event_id.toLowerCase()),
    effects: 'SELECT event_id::text AS id FROM processed_events WHERE event_id = ANY($1::uuid[])',
  },
  [pipelines.changesToStore]: {
    decide: record => identify(decodeChange(record), event => event.changeId),
    effects: 'SELECT change_id AS id FROM change_events WHERE change_id = ANY($1::text[])',
  },
  [pipelines.deadLettersToPostgres]: {
    decide: record => identify(decodeDeadLetter(record), letter => letter.eventId),
    effects: 'SELECT event_id::text AS id FROM dlq_events WHERE event_id = ANY($1::uuid[])',
  },
};

function identify<E>(decision: Decision<E>, idOf: (event: E) => string): Decision<string> {
  return decision.fate === 'deliver' ? { fate: 'deliver', event: idOf(decision.event) } : decision;
}
