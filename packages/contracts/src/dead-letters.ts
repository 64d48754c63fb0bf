import { type Static, Type } from 'typebox';
import { Page } from './api.ts';

/** What the api says about dead letters, and what it is told to do with them. */

const Timestamp = Type.String({ format: 'date-time' });
const NullableText = Type.Union([Type.String(), Type.Null()]);
export const DeadLetterId = Type.String({
  pattern: '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$',
  description: 'The same failure always has the same one',
});

export const DeadLetterStatus = Type.Enum(['open', 'replayed', 'discarded']);

const entryFields = {
  id: DeadLetterId,
  pipeline: Type.String(),
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.String(),
  key: NullableText,
  reason: Type.String({
    description: 'undecodable, invalid, business_rule, refused_by_sink, retries_exhausted or parked',
  }),
  error: Type.String({ description: 'Class and message' }),
  payload: Type.Union([Type.String(), Type.Null()], {
    description: 'What a replay would send; in a list its first 4 KiB. Null when the record had no value',
  }),
  edited: Type.Boolean(),
  attempts: Type.Integer({ description: 'Deliveries tried; 0 when the event never reached the sink' }),
  replays: Type.Integer({ description: 'How often the event has been sent back to its topic' }),
  status: DeadLetterStatus,
  failedAt: Timestamp,
};

export const DeadLetter = Type.Object(entryFields);
export type DeadLetter = Static<typeof DeadLetter>;
export const DeadLetterPage = Page(DeadLetter);

export const DeadLetterDetail = Type.Object({
  ...entryFields,
  headers: Type.Array(Type.Object({ name: Type.String(), value: NullableText })),
  originalPayload: NullableText,
  wouldBeRefused: Type.Union([Type.String(), Type.Null()], {
    description: 'What the codec would say to the payload; null when it would read it',
  }),
  actions: Type.Array(
    Type.Object({
      action: Type.Enum(['edit', 'replay', 'discard']),
      who: Type.String(),
      why: Type.String(),
      at: Timestamp,
    }),
  ),
});
export type DeadLetterDetail = Static<typeof DeadLetterDetail>;

const filterFields = {
  pipeline: Type.Optional(Type.String({ maxLength: 200 })),
  reason: Type.Optional(Type.String({ maxLength: 200 })),
  errorClass: Type.Optional(
    Type.String({ maxLength: 200, description: 'SQLSTATE, HTTP status or name of the error' }),
  ),
  key: Type.Optional(Type.String({ maxLength: 10_000 })),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Failed at this time or later' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Failed before this time' })),
};
export const DeadLetterFilter = Type.Object({ ...filterFields, status: Type.Optional(DeadLetterStatus) });

const Why = Type.String({ minLength: 1, maxLength: 2000, description: 'Stands in the log of actions' });

export const DeadLetterEdit = Type.Object({ payload: Type.String(), why: Why });

/** Open letters; one of the fields has to say which. */
const selectionFields = {
  ids: Type.Optional(Type.Array(DeadLetterId, { minItems: 1, maxItems: 1000 })),
  ...filterFields,
  all: Type.Optional(Type.Boolean({ description: 'Every open letter, when nothing else says which' })),
  dryRun: Type.Optional(Type.Boolean({ description: 'Say what would be done, and do nothing' })),
  why: Why,
};
export const DeadLetterDiscard = Type.Object(selectionFields);
export const DeadLetterReplay = Type.Object({
  ...selectionFields,
  eventsPerSec: Type.Optional(Type.Number({ minimum: 1, maximum: 1000, default: 100 })),
  replaysMax: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 3,
      description: 'Leave alone what was sent back so often',
    }),
  ),
});
export const DeadLettersDiscarded = Type.Object({
  dryRun: Type.Boolean(),
  discarded: Type.Array(DeadLetterId),
});
export const DeadLettersReplayed = Type.Object({
  dryRun: Type.Boolean(),
  sent: Type.Array(DeadLetterId),
  overCap: Type.Array(DeadLetterId, { description: 'Left alone because they came back too often' }),
  homeless: Type.Array(DeadLetterId, { description: 'Left alone because nothing says where they came from' }),
  incomplete: Type.Array(DeadLetterId, {
    description: 'Left alone because the letter was too large to carry its payload',
  }),
  blocked: Type.Array(DeadLetterId, {
    description: 'Left alone for now: of their key, something before them is still open or on its way',
  }),
  remaining: Type.Integer({ description: 'More that match: one request works for some seconds; ask again' }),
});
