import { type Static, Type } from 'typebox';

/** A routing rule of the Kafka sink (TiDB documentation, "Customize the rules for topic and partition dispatchers"). */
export const Dispatcher = Type.Object({
  matcher: Type.Array(Type.String(), { minItems: 1 }),
  partition: Type.Optional(
    Type.Enum(['default', 'table', 'index-value', 'columns', 'ts'], { description: 'Rule of the partition' }),
  ),
});

/**
 * `replica_config` of TiCDC's OpenAPI v2, as far as capture gives it a meaning. What it does not know is refused, so
 * that nobody believes in a switch that does nothing.
 */
export const ReplicaConfig = Type.Object(
  {
    case_sensitive: Type.Boolean({ default: false }),
    force_replicate: Type.Boolean({
      default: false,
      description: 'Capture tables without a primary key whose replica identity is full',
    }),
    ignore_ineligible_table: Type.Boolean({
      default: false,
      description: 'Leave out tables that cannot be captured instead of refusing the changefeed',
    }),
    filter: Type.Object(
      { rules: Type.Array(Type.String(), { default: ['*.*'], minItems: 1 }) },
      { default: { rules: ['*.*'] }, additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type ReplicaConfig = Static<typeof ReplicaConfig>;

/** What a client may leave out gets TiCDC's default. */
export function completeConfig(given: PartialReplicaConfig = {}): ReplicaConfig {
  return {
    case_sensitive: given.case_sensitive ?? false,
    force_replicate: given.force_replicate ?? false,
    ignore_ineligible_table: given.ignore_ineligible_table ?? false,
    filter: { rules: [...(given.filter?.rules ?? ['*.*'])] },
  };
}

export interface PartialReplicaConfig {
  readonly case_sensitive?: boolean;
  readonly force_replicate?: boolean;
  readonly ignore_ineligible_table?: boolean;
  readonly filter?: { readonly rules?: readonly string[] };
}
