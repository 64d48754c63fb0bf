import type { SourceRecord } from './record.ts';

/** Why an event can never take effect. Reasons are a closed set, so they may be metric labels. */
export type RejectionReason =
  /** The bytes are not what the codec reads. */
  | 'undecodable'
  /** Decoded, but a field is missing or of the wrong type. */
  | 'invalid'
  /** Well-formed, but the business forbids it. */
  | 'business_rule'
  /** The sink's own rules refuse it: a constraint, a type, a length. */
  | 'refused_by_sink'
  /** The sink is well, yet this event failed every attempt. */
  | 'retries_exhausted'
  /** Nothing is wrong with it; an event of its key before it is a dead letter, and order is kept. */
  | 'parked';

/** Everything that a dead letter says about the failure. */
export interface Rejection {
  readonly reason: RejectionReason;
  /** Name of the error, for grouping; for a database its SQLSTATE. */
  readonly errorClass: string;
  readonly message: string;
  /** Deliveries tried; 0 when the event never reached the sink. */
  readonly attempts: number;
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
}

/** What a codec makes of a record. */
export type Decision<E> =
  | { readonly fate: 'deliver'; readonly event: E }
  | { readonly fate: 'filtered' }
  | { readonly fate: 'rejected'; readonly reason: RejectionReason; readonly message: string };

/** Bytes to event. Pure; a throw counts as undecodable. */
export type Decoder<E> = (record: SourceRecord) => Decision<E>;

/** A record on its way, with what is to become of it. Exactly one fate each: that is what makes the books balance. */
export type Item<E> =
  | { readonly record: SourceRecord; readonly fate: 'deliver'; readonly event: E }
  | { readonly record: SourceRecord; readonly fate: 'filtered' }
  | { readonly record: SourceRecord; readonly fate: 'rejected'; readonly rejection: Rejection }
  | { readonly record: SourceRecord; readonly fate: 'dead-lettered'; readonly rejection: Rejection };

export type DeliverableItem<E> = Extract<Item<E>, { fate: 'deliver' }>;

export function isDeliverable<E>(item: Item<E>): item is DeliverableItem<E> {
  return item.fate === 'deliver';
}

/**
 * Decodes a record. A codec that throws has met bytes it was not written for: that is a property of the record, so
 * the record is rejected and the pipeline goes on.
 */
export function decodeRecord<E>(decode: Decoder<E>, record: SourceRecord, nowMs: number): Item<E> {
  const decision = decideSafely(decode, record);
  if (decision.fate !== 'rejected') return { record, ...decision };
  const rejection: Rejection = {
    reason: decision.reason,
    errorClass: decision.reason,
    message: decision.message,
    attempts: 0,
    firstFailedAtMs: nowMs,
    lastFailedAtMs: nowMs,
  };
  return { record, fate: 'rejected', rejection };
}

function decideSafely<E>(decode: Decoder<E>, record: SourceRecord): Decision<E> {
  try {
    return decode(record);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { fate: 'rejected', reason: 'undecodable', message };
  }
}
