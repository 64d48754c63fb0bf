import { type Static, Type } from 'typebox';
import { partitionRules } from '../tables/dispatcher.ts';

const strict = { additionalProperties: false };
const Names = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });

const Dispatcher = Type.Object(
  {
    matcher: Names,
    partition: Type.Enum([...partitionRules]),
    columns: Type.Optional(Names),
  },
  strict,
);

const ColumnSelector = Type.Object({ matcher: Names, columns: Names }, strict);

const Mask = Type.Object(
  {
    matcher: Names,
    columns: Names,
    mode: Type.Enum(['remove', 'mask', 'hash'], {
      description: 'Leave the column out, write *** for its values, or write their HMAC-SHA256',
    }),
  },
  strict,
);

const Filter = Type.Object({ rules: Names }, strict);
const Sink = Type.Object(
  { dispatchers: Type.Array(Dispatcher), column_selectors: Type.Array(ColumnSelector) },
  strict,
);

/**
 * `replica_config` of TiCDC's OpenAPI v2, as far as capture gives it a meaning, and `mask` and `initial_copy`, which TiCDC does not
 * have.
 * What capture does not know is refused, so that nobody believes in a switch that does nothing.
 */
export const ReplicaConfig = Type.Object(
  {
    case_sensitive: Type.Boolean(),
    force_replicate: Type.Boolean({
      description: 'Capture tables without a primary key whose replica identity is full',
    }),
    ignore_ineligible_table: Type.Boolean({
      description: 'Leave out tables that cannot be captured instead of refusing the changefeed',
    }),
    filter: Filter,
    sink: Sink,
    initial_copy: Type.Boolean({
      description: 'Send the rows that the tables hold already, as INSERT, while their changes are streamed',
    }),
    mask: Type.Array(Mask, { description: 'Secret columns; the first rule that names a column decides' }),
  },
  strict,
);
export type ReplicaConfig = Static<typeof ReplicaConfig>;

/** What a client sends: any part may be missing. */
export const GivenConfig = Type.Partial(
  Type.Object(
    { ...ReplicaConfig.properties, filter: Type.Partial(Filter, strict), sink: Type.Partial(Sink, strict) },
    strict,
  ),
  strict,
);
export type GivenConfig = Static<typeof GivenConfig>;

/** Columns that are secret unless a changefeed says otherwise (the delivery contract, "secrets stay home"). */
export const defaultMask: ReplicaConfig['mask'] = [
  { matcher: ['*.*'], columns: ['password*', 'token*', 'secret*'], mode: 'mask' },
];

/** What a client leaves out gets TiCDC's default. */
export function completeConfig(given: GivenConfig = {}): ReplicaConfig {
  return {
    case_sensitive: given.case_sensitive ?? false,
    force_replicate: given.force_replicate ?? false,
    ignore_ineligible_table: given.ignore_ineligible_table ?? false,
    filter: { rules: given.filter?.rules ?? ['*.*'] },
    sink: {
      dispatchers: given.sink?.dispatchers ?? [],
      column_selectors: given.sink?.column_selectors ?? [],
    },
    initial_copy: given.initial_copy ?? false,
    mask: given.mask ?? defaultMask,
  };
}
