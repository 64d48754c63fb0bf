import { type Static, Type } from 'typebox';
import { partitionRules } from '../tables/dispatcher.ts';

const strict = { additionalProperties: false };
const Names = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });

const Dispatcher = Type.Object(
  {
    matcher: Names,
    partition: Type.Enum([...partitionRules]),
    columns: Type.Optional(Names),
    index: Type.Optional(Type.String({ minLength: 1 })),
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
  {
    dispatchers: Type.Array(Dispatcher),
    column_selectors: Type.Array(ColumnSelector),
    only_output_updated_columns: Type.Optional(
      Type.Boolean({ description: 'Leave out of `old` what did not change' }),
    ),
    content_compatible: Type.Optional(
      Type.Boolean({
        description: 'Write types with their parameters, and `old` with what changed only, as Canal does',
      }),
    ),
  },
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

/**
 * Switches of TiCDC that steer its machine and not its messages, and those that have only one position here. They are
 * taken, so that a request written for TiCDC works, and come to nothing.
 */
const TicdcOnly = {
  memory_quota: Type.Any(),
  check_gc_safe_point: Type.Any(),
  mounter: Type.Any(),
  scheduler: Type.Any(),
  changefeed_error_stuck_duration: Type.Any(),
  synced_status: Type.Any(),
  sync_point_interval: Type.Any(),
  sync_point_retention: Type.Any(),
  enable_sync_point: Type.Literal(false),
  bdr_mode: Type.Literal(false),
  enable_old_value: Type.Literal(true),
};
const TicdcOnlyFilter = {
  event_filters: Type.Array(Type.Any(), { maxItems: 0 }),
  ignore_txn_start_ts: Type.Array(Type.Any(), { maxItems: 0 }),
};
const TicdcOnlySink = {
  protocol: Type.Literal('canal-json'),
  encoder_concurrency: Type.Any(),
  transaction_atomicity: Type.Any(),
  delete_only_output_handle_key_columns: Type.Literal(false),
  kafka_config: Type.Partial(
    Type.Object(
      {
        // A message that is too large fails the changefeed; nothing is left out of it or put elsewhere.
        large_message_handle: Type.Partial(
          Type.Object(
            {
              large_message_handle_option: Type.Enum(['', 'none']),
              large_message_handle_compression: Type.Enum(['', 'none']),
            },
            strict,
          ),
          strict,
        ),
        output_raw_change_event: Type.Literal(false),
      },
      strict,
    ),
    strict,
  ),
};

/** What a client sends: any part may be missing. */
export const GivenConfig = Type.Partial(
  Type.Object(
    {
      ...ReplicaConfig.properties,
      ...TicdcOnly,
      filter: Type.Partial(Type.Object({ ...Filter.properties, ...TicdcOnlyFilter }), strict),
      sink: Type.Partial(Type.Object({ ...Sink.properties, ...TicdcOnlySink }), strict),
    },
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
      ...(given.sink?.only_output_updated_columns === true ? { only_output_updated_columns: true } : {}),
      ...(given.sink?.content_compatible === true ? { content_compatible: true } : {}),
    },
    initial_copy: given.initial_copy ?? false,
    mask: given.mask ?? defaultMask,
  };
}
