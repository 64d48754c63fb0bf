import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeReview, reviewDecoder } from '@tidemark/connectors';
import { eventSchemaVersion, ReviewCreated, ReviewPayload } from '@tidemark/contracts';
import * as fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { record } from './records.ts';
import { review } from './reviews.ts';

const decode = (value: unknown, read = decodeReview) =>
  read(record({ value: Buffer.from(JSON.stringify(value)) }));
const schema = Compile(ReviewCreated);
const text = fc.string({ unit: 'grapheme' }).filter(value => value.isWellFormed() && !value.includes('\0'));

/** Any event that the contract allows. */
const events = fc.record({
  event_id: fc.uuid(),
  event_type: fc.constant('review_created'),
  key: text.filter(value => value.length > 0),
  ts: fc
    .date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    .map(date => date.toISOString()),
  schema_version: fc.constant(eventSchemaVersion),
  payload: fc.record({
    review_id: text.filter(value => value.length > 0),
    rating: fc.integer({ min: 1, max: 5 }),
    text,
  }),
});

test('every event that the contract allows is read, whole, with the fields that this version does not know', () => {
  const unknown = fc.dictionary(
    text.filter(name => !(name in ReviewCreated.properties) && name !== '__proto__'),
    fc.jsonValue(),
  );
  const unknownInPayload = fc.dictionary(
    text.filter(name => !(name in ReviewPayload.properties) && name !== '__proto__'),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(events, unknown, unknownInPayload, (event, more, moreInPayload) => {
      const sent = { ...more, ...event, payload: { ...moreInPayload, ...event.payload } };
      assert.ok(schema.Check(sent));
      assert.deepEqual(decode(sent), { fate: 'deliver', event: JSON.parse(JSON.stringify(sent)) });
    }),
  );
});

test('a reader of version N takes N and N−1, and names the version that it does not take', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -2, max: 12 }), (reader, written) => {
      const decision = decode({ ...review(), schema_version: written }, reviewDecoder(reader));
      const known = written >= 1 && (written === reader || written === reader - 1);
      assert.equal(decision.fate, known ? 'deliver' : 'rejected');
      if (decision.fate === 'rejected')
        assert.match(decision.message, new RegExp(`^schema_version is ${written};`));
    }),
  );
});

test('a wrong or missing field is named, whichever it is and whatever stands in it', () => {
  const paths = [
    ...Object.keys(ReviewCreated.properties),
    ...Object.keys(ReviewPayload.properties).map(name => `payload.${name}`),
  ];
  const wrong = fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.array(fc.integer()),
  );
  fc.assert(
    fc.property(fc.constantFrom(...paths), wrong, (path, value) => {
      const event = structuredClone(review()) as unknown as Record<string, Record<string, unknown>>;
      const [field = '', inner] = path.split('.');
      if (inner === undefined) Object.assign(event, { [field]: value });
      else Object.assign(event[field] ?? {}, { [inner]: value });
      const decision = decode(event);
      // A whole number that is no fault of type is judged by the business rule, or by the version.
      if (schema.Check(event) && decision.fate === 'deliver') return;
      assert.equal(decision.fate, 'rejected');
      assert.ok(decision.message.startsWith(path), `${path} = ${String(value)}: ${decision.message}`);
    }),
  );
});

test('a rating outside 1–5 breaks the business rule, at once and by name; inside it does not', () => {
  fc.assert(
    fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -1, max: 7 })), rating => {
      const decision = decode(review({ rating }));
      if (rating >= 1 && rating <= 5) assert.equal(decision.fate, 'deliver');
      else {
        assert.deepEqual(decision, {
          fate: 'rejected',
          reason: 'business_rule',
          message: `payload.rating is ${rating}, outside 1–5`,
        });
      }
    }),
  );
});

test('bytes that are no event are rejected without an exception', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map(json => Buffer.from(json)),
      ),
      bytes => {
        const decision = decodeReview(record({ value: Buffer.from(bytes) }));
        assert.equal(decision.fate, 'rejected');
      },
    ),
  );
});

test('a day that does not exist, and an offset that no place has, are faults of ts', () => {
  for (const ts of [
    '2026-02-30T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-11-21T24:30:00Z',
    '2026-11-21T10:00:00',
    '2026-11-21 10:00:00Z',
    '2026-11-21T10:00:00+23:00',
    '0000-01-01T00:00:00Z',
  ]) {
    const decision = decode({ ...review(), ts });
    assert.equal(decision.fate === 'rejected' && decision.message, 'ts must be a time as in RFC 3339', ts);
  }
  for (const ts of ['2024-02-29T10:00:00Z', '2026-11-21t10:00:00.123456789z', '2026-11-21T10:00:00+05:30']) {
    assert.equal(decode({ ...review(), ts }).fate, 'deliver', ts);
  }
});
