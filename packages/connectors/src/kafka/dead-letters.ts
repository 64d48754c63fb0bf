import { createHash } from 'node:crypto';
import { deadLetterHeaders as names, replayHeaders, topics } from '@tidemark/contracts/names';
import {
  type DeadLetter,
  type DeadLetterPort,
  type Decision,
  headerText,
  recordBytes,
  type SourceRecord,
} from '@tidemark/pipeline';
import type { MessageSender, OutgoingMessage } from './kafka-producer.ts';
import { parseReplayOrigin } from './replay-origin.ts';
import { sendLetters } from './send-letters.ts';

/** A dead letter as it is read back from its topic. */
export interface StoredDeadLetter {
  readonly eventId: string;
  readonly pipeline: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Text of the original key; null when there was none or it is not UTF-8 that PostgreSQL can store. */
  readonly key: string | null;
  readonly reason: string;
  /** Class and message of the error. */
  readonly error: string;
  /** Null when the record had no value. */
  readonly payload: Buffer | null;
  /** The payload when it is JSON that PostgreSQL can probably store, else null. */
  readonly payloadJson: string | null;
  readonly attempts: number;
  /** ISO 8601. */
  readonly failedAt: string;
  readonly keyBytes: Buffer | null;
  /** The original record's headers, values in base64. */
  readonly headers: readonly (readonly [name: string, base64: string | null])[];
  /** How often the event had been sent back to its topic before. */
  readonly replays: number;
  /** The offset at which the event became a dead letter of this pipeline for the first time. */
  readonly originOffset: bigint;
}

/** Longest error message that a header carries, characters. */
const errorMessageMax = 2000;
const ownHeader = /^tidemark-dlq-/;

/** Bytes of dead letters in one request: half of what topics take of a batch by default. */
const requestBytesMax = 512 * 1024;

/**
 * Writes dead letters to `events.dlq`: key, value and headers of the record untouched, the circumstances as headers
 * beside. A letter that no topic would take as it is goes alone and compressed: its record came in that way as well,
 * and a letter that can never be stored would hold its partition back for ever.
 */
export function kafkaDeadLetters(sender: MessageSender, group: string): DeadLetterPort {
  return async letters => {
    for (const { run, bytes } of runsOf(letters)) {
      const messages = run.map(letter => deadLetterMessage(letter, group));
      await sendLetters(sender, messages, { compressed: bytes > requestBytesMax });
    }
  };
}

/** Cuts letters into runs of up to {@link requestBytesMax}; one that is larger is a run of its own. */
function* runsOf(letters: readonly DeadLetter[]): Generator<{ run: DeadLetter[]; bytes: number }> {
  let run: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = recordBytes(letter.record);
    if (run.length > 0 && bytes + size > requestBytesMax) {
      yield { run, bytes };
      [run, bytes] = [[], 0];
    }
    run.push(letter);
    bytes += size;
  }
  if (run.length > 0) yield { run, bytes };
}

/**
 * A UUID (version 5 layout, RFC 9562 §5.5) of what failed where. A crash may write a dead letter twice; both copies
 * have this id, so whatever reads them can tell. A crash may also replay a letter twice: what fails of one replay has
 * one id, wherever its copies lie in the log.
 */
export function deadLetterId(
  pipeline: string,
  record: Pick<SourceRecord, 'topic' | 'partition' | 'offset'> & Partial<Pick<SourceRecord, 'headers'>>,
): string {
  return nameUuid(`${pipeline}/${replayOf(pipeline, record.headers ?? []) ?? placeOf(record)}`);
}

function placeOf({ topic, partition, offset }: Pick<SourceRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}/${partition}/${offset}`;
}

/** Which replay for this pipeline the record is, if any. */
function replayOf(pipeline: string, headers: SourceRecord['headers']): string | undefined {
  if (headers.length === 0) return undefined;
  const { count, letter, pipeline: addressee } = replayHeaders;
  if (headerText({ headers }, addressee) !== pipeline) return undefined;
  const of = headerText({ headers }, letter);
  return of === undefined ? undefined : `replay ${headerText({ headers }, count)} of ${of}`;
}

function nameUuid(name: string): string {
  const hash = createHash('sha1').update(`tidemark dead letter ${name}`).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function deadLetterMessage({ pipeline, record, rejection }: DeadLetter, group: string): OutgoingMessage {
  const added: Record<string, string> = {
    [names.eventId]: deadLetterId(pipeline, record),
    [names.pipeline]: pipeline,
    [names.group]: group,
    [names.topic]: record.topic,
    [names.partition]: String(record.partition),
    [names.offset]: String(record.offset),
    [names.timestamp]: String(record.timestampMs),
    [names.reason]: rejection.reason,
    [names.errorClass]: rejection.errorClass,
    [names.errorMessage]: rejection.message.slice(0, errorMessageMax),
    [names.attempts]: String(rejection.attempts),
    [names.firstFailedAt]: new Date(rejection.firstFailedAtMs).toISOString(),
    [names.lastFailedAt]: new Date(rejection.lastFailedAtMs).toISOString(),
  };
  // A replayed event that fails again is a new dead letter; the headers of the old one would contradict it.
  const original = record.headers.filter(([name]) => !ownHeader.test(name.toString()));
  return {
    topic: topics.deadLetters,
    key: record.key ?? undefined,
    value: record.value ?? undefined,
    headers: [
      ...original,
      ...Object.entries(added).map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const),
    ],
  };
}

/** Reads a record of the dead-letter topic. One that somebody else put there is kept under its own place in the topic. */
export function decodeDeadLetter(record: SourceRecord): Decision<StoredDeadLetter> {
  const header = (name: string) => headerText(record, name);
  const pipeline = header(names.pipeline) ?? 'unknown';
  const place = {
    topic: header(names.topic) ?? record.topic,
    partition: Number(header(names.partition) ?? record.partition),
    offset: BigInt(header(names.offset) ?? record.offset),
  };
  const event: StoredDeadLetter = {
    eventId: header(names.eventId) ?? deadLetterId(pipeline, place),
    pipeline,
    ...place,
    key: storableText(record.key),
    reason: header(names.reason) ?? 'unknown',
    error: `${header(names.errorClass) ?? 'unknown'}: ${header(names.errorMessage) ?? ''}`.replaceAll(
      '\0',
      '',
    ),
    payload: record.value,
    payloadJson: record.value && storableJson(record.value),
    attempts: Number(header(names.attempts) ?? 0),
    failedAt: header(names.lastFailedAt) ?? new Date(record.timestampMs).toISOString(),
    keyBytes: record.key,
    headers: originalHeaders(record),
    replays: Number(header(replayHeaders.count) ?? 0),
    originOffset: originOf(pipeline, place, header(replayHeaders.origin)),
  };
  return { fate: 'deliver', event };
}

function originOf(
  pipeline: string,
  { partition, offset }: { partition: number; offset: bigint },
  header: string | undefined,
): bigint {
  const origin = parseReplayOrigin(header);
  return origin?.pipeline === pipeline && origin.partition === partition ? origin.offset : offset;
}

function originalHeaders(record: SourceRecord): [string, string | null][] {
  return record.headers.flatMap(([name, value]): [string, string | null][] => {
    const text = name.toString();
    return ownHeader.test(text) || text.includes('\0') ? [] : [[text, value?.toString('base64') ?? null]];
  });
}

/** PostgreSQL's text cannot hold NUL (PostgreSQL, "Character Types"). */
function storableText(bytes: Buffer | null): string | null {
  const text = bytes?.toString();
  return text === undefined || text.includes('\0') ? null : text;
}

/**
 * Nor can jsonb hold the escape \u0000 or half a surrogate pair (PostgreSQL, "JSON Types"). What else it cannot hold,
 * such as 1e999999, the database finds out for itself.
 */
function storableJson(bytes: Buffer): string | null {
  const text = bytes.toString();
  if (/\\u0000|\\u[dD][89a-fA-F]/.test(text) || text.includes('\0')) return null;
  try {
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}
