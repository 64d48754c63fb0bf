import type { ReviewCreated } from '@tidemark/contracts';

/** ordered: as UUIDs of version 7 come, each above the one before. random: as UUIDs of version 4, all over the index. */
export type IdOrder = 'ordered' | 'random';

/** The time that stands in the ids of the first events. */
export const eventsFromMs = Date.UTC(2026, 10, 21);

const text = 'Arrived early and works as described, even the small parts. '.repeat(2);

/** Review events of about 300 bytes. The same index gives the same event. */
export function reviewEvent(index: number, ids: IdOrder): ReviewCreated {
  const id = ids === 'ordered' ? orderedId(index) : randomId(index);
  return {
    event_id: id,
    event_type: 'review_created',
    key: `user:${index % 1000}`,
    ts: '2026-11-21T10:00:00.000Z',
    schema_version: 1,
    payload: { review_id: `r-${id}`, rating: 1 + (index % 5), text },
  };
}

function orderedId(index: number): string {
  const low = index.toString(16).padStart(12, '0');
  const high = (eventsFromMs + Math.floor(index / 1000)).toString(16).padStart(12, '0');
  return `${high.slice(0, 8)}-${high.slice(8, 12)}-7000-8000-${low}`;
}

/** The index at the end keeps ids different; the head, which decides about the place in an index, is scattered. */
function randomId(index: number): string {
  const head = scatter(index).toString(16).padStart(8, '0');
  const middle = (scatter(index + 0x9e3779b9) & 0xffff).toString(16).padStart(4, '0');
  return `${head}-${middle}-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

/** The finalizer of MurmurHash3 (32 bits): every bit of the input changes about half of the bits. */
function scatter(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Of Kafka Connect's JsonConverter; the time is text that Debezium takes for a timestamp with a time zone. */
const rowSchema = {
  type: 'struct',
  name: 'review',
  optional: false,
  fields: [
    { field: 'review_id', type: 'string', optional: false },
    { field: 'user_key', type: 'string', optional: false },
    { field: 'rating', type: 'int32', optional: false },
    { field: 'text', type: 'string', optional: false },
    {
      field: 'created_at',
      type: 'string',
      optional: false,
      name: 'io.debezium.time.ZonedTimestamp',
      version: 1,
    },
  ],
};

export interface ReviewRow {
  readonly review_id: string;
  readonly user_key: string;
  readonly rating: number;
  readonly text: string;
  readonly created_at: string;
}

/** The row that an event becomes, with the schema that says so. */
export function rowWithSchema({ key, ts, payload }: ReviewCreated): { schema: object; payload: ReviewRow } {
  return { schema: rowSchema, payload: { ...payload, user_key: key, created_at: ts } };
}
