import { omittedPayloadHeader, replayHeaders } from '@tidemark/contracts/names';
import { decodeRecord, type SourceRecord } from '@tidemark/pipeline';
import { auditSubjects } from '../audit/subjects.ts';
import type { OutgoingMessage } from '../kafka/kafka-producer.ts';
import { formatReplayOrigin } from '../kafka/replay-origin.ts';
import type { DeadLetterStatus, LetterRow } from './dead-letter-query.ts';
import type { ReplayNumber } from './parked-letters.ts';

/** A dead letter as people see it in a list. */
export interface DeadLetterEntry {
  readonly id: string;
  readonly pipeline: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string | null;
  readonly reason: string;
  /** Class and message. */
  readonly error: string;
  /** What a replay would send, as text, of which a list has the beginning; null for a record without value. */
  readonly payload: string | null;
  /** Whether somebody corrected the payload. */
  readonly edited: boolean;
  readonly attempts: number;
  /** How often the event has been sent back to its topic. */
  readonly replays: number;
  readonly status: DeadLetterStatus;
  readonly failedAt: string;
}

/** A dead letter with everything that is known of it. */
export interface DeadLetterDetail extends DeadLetterEntry {
  readonly headers: { readonly name: string; readonly value: string | null }[];
  /** The payload as it came, as text. */
  readonly originalPayload: string | null;
  /** What the pipeline's codec would refuse about the payload now; null when it would take it. */
  readonly wouldBeRefused: string | null;
  /** Oldest first. */
  readonly actions: DeadLetterAction[];
}

/** A line of the log of what people did. */
export interface DeadLetterAction {
  readonly action: 'edit' | 'replay' | 'discard';
  readonly who: string;
  readonly why: string;
  readonly at: string;
}

export function entryOf(row: LetterRow): DeadLetterEntry {
  return {
    id: row.event_id,
    pipeline: row.pipeline,
    topic: row.source_topic,
    partition: row.source_partition,
    offset: row.source_offset,
    key: row.key,
    reason: row.reason,
    error: row.error,
    payload: payloadOf(row)?.toString() ?? null,
    edited: row.edited !== null,
    attempts: row.attempts,
    replays: row.replays,
    status: row.status,
    failedAt: row.failed_at.toISOString(),
  };
}

/** A dead letter with its headers, what its codec would say, and what was done with it. */
export function detailOf(row: LetterRow, actions: DeadLetterAction[]): DeadLetterDetail {
  return {
    ...entryOf(row),
    headers: row.headers.map(([name, base64]) => ({ name, value: decoded(base64)?.toString() ?? null })),
    originalPayload: row.payload_bytes?.toString() ?? null,
    wouldBeRefused: refusalOf(row),
    actions,
  };
}

/** Headers that we have added and that are no part of the original record. */
const addedHeaders: ReadonlySet<string> = new Set([...Object.values(replayHeaders), omittedPayloadHeader]);

/**
 * The message that a replay sends. The partition is the one that the event came from, where the newer events of its key are: what wrote the topic may
 * have had rules of its own about partitions.
 */
export function messageOf(row: LetterRow, { pass, seq }: ReplayNumber): OutgoingMessage {
  const original = row.headers.filter(([name]) => !addedHeaders.has(name));
  const partition = row.source_partition;
  const offset = BigInt(row.origin_offset ?? row.source_offset);
  const added: [string, string][] = [
    // What was only held back has not come back from a failure of its own.
    [replayHeaders.count, String(row.replays + (row.reason === 'parked' ? 0 : 1))],
    [replayHeaders.letter, row.event_id],
    [replayHeaders.pipeline, row.pipeline],
    [replayHeaders.origin, formatReplayOrigin({ pipeline: row.pipeline, partition, offset, pass, seq })],
  ];
  return {
    topic: row.source_topic,
    partition: row.source_partition,
    key: row.key_bytes ?? undefined,
    value: payloadOf(row) ?? undefined,
    headers: [
      ...original.map(([name, base64]) => [Buffer.from(name), decoded(base64)] as const),
      ...added.map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const),
    ],
  };
}

/** What the codec of the pipeline would say to the payload. */
function refusalOf(row: LetterRow): string | null {
  const subject = auditSubjects[row.pipeline];
  if (!subject) return null;
  const record: SourceRecord = {
    topic: row.source_topic,
    partition: row.source_partition,
    offset: BigInt(row.source_offset),
    timestampMs: 0,
    key: row.key_bytes,
    value: payloadOf(row),
    headers: row.headers.map(([name, base64]) => [Buffer.from(name), decoded(base64)]),
  };
  const item = decodeRecord(subject.decide, record, 0);
  return item.fate === 'rejected' ? item.rejection.message : null;
}

function payloadOf(row: LetterRow): Buffer | null {
  return row.edited ?? row.payload_bytes;
}

function decoded(base64: string | null): Buffer | null {
  return base64 === null ? null : Buffer.from(base64, 'base64');
}
