import type { ReviewCreated } from '@tidemark/contracts';
import { eventSchemaVersion } from '@tidemark/contracts/names';
import type { Decoder } from '@tidemark/pipeline';

type Fields = Readonly<Record<string, unknown>>;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Events of `events.main`, as the version of the contracts reads them. */
export const decodeReview = reviewDecoder(eventSchemaVersion);

/**
 * Makes the reader of version N of the schema. It reads N and N−1, so that producers and consumers can be upgraded in
 * any order; unknown fields survive untouched. What is not JSON is undecodable; a field that is missing or wrong is
 * named; a rating outside 1–5 breaks the business rule.
 *
 * Written by hand because it runs for every event: it costs a quarter of a generic validator. A test compares it with
 * the schema in the contracts.
 */
export function reviewDecoder(version: number): Decoder<ReviewCreated> {
  const oldest = Math.max(1, version - 1);
  return record => {
    const fields = parse(record.value);
    if (fields === undefined)
      return { fate: 'rejected', reason: 'undecodable', message: 'not a JSON object' };
    const fault = faultOf(fields, oldest, version);
    if (fault !== undefined) return { fate: 'rejected', reason: 'invalid', message: fault };
    const event = fields as unknown as ReviewCreated;
    const { rating } = event.payload;
    if (rating < 1 || rating > 5) {
      return {
        fate: 'rejected',
        reason: 'business_rule',
        message: `payload.rating is ${rating}, outside 1–5`,
      };
    }
    return { fate: 'deliver', event };
  };
}

function parse(value: Buffer | null): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(value?.toString() ?? '');
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The first field that is not as it must be, in words; undefined when all are. */
function faultOf(fields: Fields, oldest: number, newest: number): string | undefined {
  const { event_id, event_type, key, ts, schema_version, payload } = fields;
  if (typeof event_id !== 'string' || !uuidPattern.test(event_id)) return 'event_id must be a UUID';
  if (event_type !== 'review_created') return 'event_type must be "review_created"';
  if (!isText(key) || key.length === 0) return 'key must be a text that is not empty';
  if (typeof ts !== 'string' || !isTimestamp(ts)) return 'ts must be a time as in RFC 3339';
  if (!Number.isInteger(schema_version)) return 'schema_version must be a whole number';
  const version = schema_version as number;
  if (version < oldest || version > newest) {
    return `schema_version is ${version}; this reader knows ${oldest} to ${newest}`;
  }
  if (!isObject(payload)) return 'payload must be an object';
  return payloadFaultOf(payload);
}

function payloadFaultOf({ review_id, rating, text }: Fields): string | undefined {
  if (!isText(review_id) || review_id.length === 0)
    return 'payload.review_id must be a text that is not empty';
  if (!Number.isInteger(rating)) return 'payload.rating must be a whole number';
  if (!isText(text)) return 'payload.text must be a text';
  return undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that a database can store: NUL and half a surrogate pair are valid JSON but not valid text. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed();
}

const timestampPattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/**
 * A time of RFC 3339 that PostgreSQL takes as well. JavaScript reads the 30th of February as the 2nd of March; the
 * database would refuse it, and the fault would have no name.
 */
function isTimestamp(text: string): boolean {
  const [, year, month, day] = timestampPattern.exec(text) ?? [];
  if (year === undefined || year === '0000' || Number.isNaN(Date.parse(text))) return false;
  return Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}
