import { ProtocolError } from '../wire/error-codes.ts';

/** How a topic setting is written, as DescribeConfigs tells clients (ConfigDef.Type in Kafka). */
export const configTypes = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
} as const;

interface ConfigKey {
  readonly type: keyof typeof configTypes;
  readonly default: string;
  /** The broker setting that would stand behind it in Apache Kafka. */
  readonly brokerKey: string | null;
  /** False for settings that are accepted and shown so that tools work, but change nothing on a single node. */
  readonly effective: boolean;
  accepts(value: string): boolean;
}

const integerIn =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (value: string): boolean =>
    /^-?\d{1,19}$/.test(value) && Number(value) >= min && Number(value) <= Math.max(max, 2 ** 63);
const oneOf =
  (...allowed: readonly string[]) =>
  (value: string): boolean =>
    allowed.includes(value);
const anything = (): boolean => true;
const isCleanupPolicy = (value: string): boolean =>
  value !== '' && value.split(',').every(part => ['delete', 'compact'].includes(part.trim()));

function key(
  type: keyof typeof configTypes,
  byDefault: string,
  brokerKey: string | null,
  accepts: (value: string) => boolean,
  effective = true,
): ConfigKey {
  return { type, default: byDefault, brokerKey, effective, accepts };
}

const MAX_LONG = '9223372036854775807';

/** Every topic setting of Apache Kafka that tools ask for, with Kafka's defaults unless a laptop needs another. */
export const topicConfigKeys: Readonly<Record<string, ConfigKey>> = {
  'cleanup.policy': key('list', 'delete', 'log.cleanup.policy', isCleanupPolicy),
  'compression.type': key(
    'string',
    'producer',
    'compression.type',
    oneOf('producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'),
    false,
  ),
  'delete.retention.ms': key('long', '86400000', 'log.cleaner.delete.retention.ms', integerIn(0)),
  'file.delete.delay.ms': key('long', '60000', 'log.segment.delete.delay.ms', integerIn(0), false),
  'flush.messages': key('long', MAX_LONG, 'log.flush.interval.messages', integerIn(1), false),
  'flush.ms': key('long', MAX_LONG, 'log.flush.interval.ms', integerIn(0), false),
  'follower.replication.throttled.replicas': key('list', '', null, anything, false),
  'index.interval.bytes': key('int', '4096', 'log.index.interval.bytes', integerIn(0), false),
  'leader.replication.throttled.replicas': key('list', '', null, anything, false),
  'local.retention.bytes': key('long', '-2', 'log.local.retention.bytes', integerIn(-2), false),
  'local.retention.ms': key('long', '-2', 'log.local.retention.ms', integerIn(-2), false),
  'max.compaction.lag.ms': key('long', MAX_LONG, 'log.cleaner.max.compaction.lag.ms', integerIn(1), false),
  'max.message.bytes': key('int', '1048588', 'message.max.bytes', integerIn(0, 2 ** 31 - 1)),
  'message.timestamp.after.max.ms': key(
    'long',
    MAX_LONG,
    'log.message.timestamp.after.max.ms',
    integerIn(0),
    false,
  ),
  'message.timestamp.before.max.ms': key(
    'long',
    MAX_LONG,
    'log.message.timestamp.before.max.ms',
    integerIn(0),
    false,
  ),
  'message.timestamp.type': key(
    'string',
    'CreateTime',
    'log.message.timestamp.type',
    oneOf('CreateTime', 'LogAppendTime'),
  ),
  'min.cleanable.dirty.ratio': key(
    'double',
    '0.5',
    'log.cleaner.min.cleanable.ratio',
    value => Number(value) >= 0 && Number(value) <= 1,
  ),
  'min.compaction.lag.ms': key('long', '0', 'log.cleaner.min.compaction.lag.ms', integerIn(0)),
  'min.insync.replicas': key('int', '1', 'min.insync.replicas', integerIn(1), false),
  preallocate: key('boolean', 'false', 'log.preallocate', oneOf('true', 'false'), false),
  'remote.storage.enable': key('boolean', 'false', null, oneOf('false'), false),
  'retention.bytes': key('long', '-1', 'log.retention.bytes', integerIn(-1)),
  'retention.ms': key('long', '604800000', 'log.retention.ms', integerIn(-1)),
  'segment.bytes': key('int', '67108864', 'log.segment.bytes', integerIn(14, 2 ** 31 - 1)),
  'segment.index.bytes': key('int', '10485760', 'log.index.size.max.bytes', integerIn(4), false),
  'segment.jitter.ms': key('long', '0', 'log.roll.jitter.ms', integerIn(0), false),
  'segment.ms': key('long', '604800000', 'log.roll.ms', integerIn(1)),
  'unclean.leader.election.enable': key(
    'boolean',
    'false',
    'unclean.leader.election.enable',
    oneOf('true', 'false'),
    false,
  ),
};

/** The settings that the broker itself acts upon, read once and again after each change. */
export interface TopicSettings {
  readonly compacts: boolean;
  readonly deletes: boolean;
  readonly appendTime: boolean;
  readonly messageBytesMax: number;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly deleteRetentionMs: number;
  readonly minCompactionLagMs: number;
  readonly minCleanableRatio: number;
}

/** Rejects unknown settings and values that make no sense (INVALID_CONFIG). */
export function checkTopicConfig(name: string, value: string | null): void {
  const known = topicConfigKeys[name];
  if (!known) throw new ProtocolError('invalidConfig', `Unknown topic config name: ${name}`);
  if (value === null || !known.accepts(value)) {
    throw new ProtocolError('invalidConfig', `Invalid value ${value} for configuration ${name}`);
  }
}

/** The settings in effect: what was set for the topic, then the broker's defaults, then Kafka's. */
export function topicSettings(
  overrides: ReadonlyMap<string, string>,
  brokerDefaults: Readonly<Record<string, string>>,
): TopicSettings {
  const text = (name: string) =>
    overrides.get(name) ?? brokerDefaults[name] ?? topicConfigKeys[name]?.default ?? '';
  const number = (name: string) => Number(text(name));
  const policies = text('cleanup.policy')
    .split(',')
    .map(part => part.trim());
  return {
    compacts: policies.includes('compact'),
    deletes: policies.includes('delete'),
    appendTime: text('message.timestamp.type') === 'LogAppendTime',
    messageBytesMax: number('max.message.bytes'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    minCleanableRatio: number('min.cleanable.dirty.ratio'),
  };
}
