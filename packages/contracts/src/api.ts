import { type Static, type TSchema, Type } from 'typebox';

/** What the api answers with, shared by the api that validates it and the console and CLI that read it. */

const Timestamp = Type.String({ format: 'date-time' });
const NullableText = Type.Union([Type.String(), Type.Null()]);

/** Body of every answer that is not a success. */
export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'Stable, for programs, such as EMAIL_TAKEN' }),
    message: Type.String({ description: 'What was wrong' }),
    hint: Type.Optional(Type.String({ description: 'What to do' })),
    field: Type.Optional(Type.String({ description: 'The field that was wrong' })),
  }),
});
export type ErrorBody = Static<typeof ErrorBody>;

/** A page of a list. `nextCursor` is null on the last page. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: NullableText });

export const roles = ['admin', 'operator', 'viewer'] as const;
/** admin: everything. operator: everything but accounts. viewer: looks. */
export const Role = Type.Enum([...roles]);
export type Role = (typeof roles)[number];

export const User = Type.Object({
  id: Type.Integer(),
  email: Type.String(),
  role: Role,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type User = Static<typeof User>;
export const UserPage = Page(User);

export const Email = Type.String({ format: 'email', maxLength: 255 });
export const Password = Type.String({
  minLength: 8,
  maxLength: 72,
  description: 'bcrypt reads the first 72 bytes, so longer ones are refused rather than cut',
});
export const Credentials = Type.Object({
  email: Email,
  password: Type.String({ minLength: 1, maxLength: 1024 }),
});
export type Credentials = Static<typeof Credentials>;
export const Registration = Type.Object({ email: Email, password: Password });
export const NewUser = Type.Object({ email: Email, password: Password, role: Type.Optional(Role) });
export type NewUser = Static<typeof NewUser>;
export const UserChanges = Type.Partial(
  Type.Object({
    email: Email,
    password: Password,
    role: Role,
    currentPassword: Type.String({
      maxLength: 1024,
      description: 'Needed by those who are not administrators, who may change their own account only',
    }),
  }),
);
export type UserChanges = Static<typeof UserChanges>;

/** Answer to sign-in and registration. The browser keeps the cookie; scripts keep the token. */
export const Session = Type.Object({
  user: User,
  token: Type.String({ description: 'Send as Authorization: Bearer …' }),
  csrfToken: Type.String({
    description: 'Send as X-CSRF-Token with every unsafe request that uses the cookie',
  }),
  expiresAt: Timestamp,
});
export type Session = Static<typeof Session>;
export const Me = Type.Object({ user: User, csrfToken: NullableText });
export type Me = Static<typeof Me>;

export const NewReview = Type.Object({
  rating: Type.Integer({ minimum: 1, maximum: 5 }),
  text: Type.String({ maxLength: 10_000 }),
  userKey: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Partition key; the signed-in user unless given',
    }),
  ),
});
export type NewReview = Static<typeof NewReview>;
/** A review is accepted once the broker has acknowledged its event; it appears in the list when it was processed. */
export const ReviewAccepted = Type.Object({
  eventId: Type.String(),
  reviewId: Type.String(),
  key: Type.String(),
});
export type ReviewAccepted = Static<typeof ReviewAccepted>;
export const Review = Type.Object({
  reviewId: Type.String(),
  userKey: Type.String(),
  rating: Type.Integer(),
  text: Type.String(),
  createdAt: Timestamp,
});
export type Review = Static<typeof Review>;
export const ReviewPage = Page(Review);

/** Column values as Canal-JSON carries them: text or null. */
export const Row = Type.Record(Type.String(), NullableText);
export type Row = Static<typeof Row>;

/** A change of one row (or a DDL) as the change store keeps it. */
export const Change = Type.Object({
  id: Type.String({ description: 'Ascending in the order in which the store took the changes' }),
  database: Type.String(),
  table: Type.String(),
  type: Type.String({ description: 'INSERT, UPDATE, DELETE or a DDL type of Canal-JSON' }),
  key: Type.String({ description: 'Primary key values joined by a comma' }),
  commitTs: Type.String({
    description: 'Commit position in the source, a TSO: milliseconds << 18 | counter',
  }),
  committedAt: Timestamp,
  capturedAt: Timestamp,
  storedAt: Timestamp,
  old: Type.Union([Row, Type.Null()]),
  data: Type.Union([Row, Type.Null()]),
  sql: NullableText,
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.String(),
  traceId: NullableText,
});
export type Change = Static<typeof Change>;
export const ChangePage = Page(Change);

export const ChangeFilter = Type.Object({
  database: Type.Optional(Type.String()),
  table: Type.Optional(Type.String()),
  type: Type.Optional(Type.String({ description: 'INSERT, UPDATE, DELETE; several joined by a comma' })),
  key: Type.Optional(Type.String()),
  from: Type.Optional(Timestamp),
  to: Type.Optional(Timestamp),
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Text anywhere in the row, before or after' })),
});
export type ChangeFilter = Static<typeof ChangeFilter>;

/** Counts of the ledger. read = delivered + duplicate + filtered + deadLettered + in flight. */
export const LedgerCounts = Type.Object({
  read: Type.Integer(),
  delivered: Type.Integer(),
  duplicate: Type.Integer(),
  filtered: Type.Integer(),
  deadLettered: Type.Integer(),
});
export type LedgerCounts = Static<typeof LedgerCounts>;

export const PipelinePartition = Type.Object({
  topic: Type.String(),
  partition: Type.Integer(),
  position: Type.String({ description: 'Next offset to be read' }),
  endOffset: Type.Union([Type.String(), Type.Null()]),
  lag: Type.Union([Type.Integer(), Type.Null()]),
  ledger: LedgerCounts,
  updatedAt: Timestamp,
});
export const Pipeline = Type.Object({
  name: Type.String(),
  group: Type.String(),
  topic: Type.String(),
  sink: Type.String(),
  state: Type.String({ description: 'running, paused, waiting (sink down), stopped or unknown' }),
  lag: Type.Union([Type.Integer(), Type.Null()]),
  ratePerSec: Type.Union([Type.Number(), Type.Null()]),
  partitions: Type.Array(PipelinePartition),
});
export type Pipeline = Static<typeof Pipeline>;
export const PipelineList = Type.Object({ items: Type.Array(Pipeline) });

/** A station on the way of a change, as the console draws it. */
export const Station = Type.Object({
  id: Type.Enum(['database', 'capture', 'broker', 'consumer', 'store']),
  label: Type.String(),
  state: Type.Enum(['ok', 'degraded', 'down', 'unknown']),
  ratePerSec: Type.Union([Type.Number(), Type.Null()]),
  total: Type.Union([Type.Number(), Type.Null()]),
  lag: Type.Union([
    Type.Object({ value: Type.Number(), unit: Type.Enum(['seconds', 'bytes', 'events']) }),
    Type.Null(),
  ]),
  detail: Type.String({ description: 'One line on what the station is or why it is not well' }),
});
export type Station = Static<typeof Station>;
export const Overview = Type.Object({
  at: Timestamp,
  stations: Type.Array(Station),
  /** Median and 99th percentile from commit to stored over the last five minutes, seconds. */
  freshness: Type.Object({
    p50Seconds: Type.Union([Type.Number(), Type.Null()]),
    p99Seconds: Type.Union([Type.Number(), Type.Null()]),
    changes: Type.Integer(),
  }),
  unaccounted: Type.Integer({ description: 'Events that the books cannot place; must be 0' }),
  deadLetters: Type.Integer(),
});
export type Overview = Static<typeof Overview>;
