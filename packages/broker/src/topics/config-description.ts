import type { BrokerCore } from '../broker-core.ts';
import { ProtocolError } from '../wire/error-codes.ts';
import { configTypes, topicConfigKeys } from './topic-config.ts';

/** Where a value comes from (DescribeConfigs, `config_source`). */
const sources = { topic: 1, staticBroker: 4, default: 5 } as const;
/** Kinds of resources (ConfigResource.Type). */
export const resourceTypes = { topic: 2, broker: 4 } as const;

/** One setting as DescribeConfigs and CreateTopics tell it. */
export interface DescribedConfig {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly {
    readonly name: string;
    readonly value: string | null;
    readonly source: number;
  }[];
  readonly configType: number;
}

/** All settings of a topic or of the broker; Kafka's tools and Debezium read the defaults too. */
export function describeResource(broker: BrokerCore, type: number, name: string): readonly DescribedConfig[] {
  if (type === resourceTypes.topic) {
    const topic = broker.topics.get(name);
    if (!topic) throw new ProtocolError('unknownTopicOrPartition');
    return describedConfigs(topic.overrides, broker.settings.topicDefaults);
  }
  if (type === resourceTypes.broker) {
    if (name !== '' && name !== String(broker.node.id)) {
      throw new ProtocolError(
        'invalidRequest',
        `Unexpected broker id, expected ${broker.node.id}, but received ${name}`,
      );
    }
    return brokerConfigs(broker);
  }
  throw new ProtocolError('invalidRequest', `Unsupported resource type ${type}`);
}

/** The settings of a topic: its own, then the broker's, then Kafka's. */
export function describedConfigs(
  overrides: ReadonlyMap<string, string>,
  brokerDefaults: Readonly<Record<string, string>>,
): DescribedConfig[] {
  return Object.entries(topicConfigKeys).map(([name, key]) => {
    const synonyms: { name: string; value: string; source: number }[] = [];
    const own = overrides.get(name);
    const ofBroker = brokerDefaults[name];
    const brokerName = key.brokerKey ?? name;
    if (own !== undefined) synonyms.push({ name, value: own, source: sources.topic });
    if (ofBroker !== undefined)
      synonyms.push({ name: brokerName, value: ofBroker, source: sources.staticBroker });
    synonyms.push({ name: brokerName, value: key.default, source: sources.default });
    return {
      name,
      value: synonyms[0]?.value ?? key.default,
      readOnly: false,
      configSource: synonyms[0]?.source ?? sources.default,
      isSensitive: false,
      synonyms,
      configType: configTypes[key.type],
    };
  });
}

function brokerConfigs(broker: BrokerCore): DescribedConfig[] {
  const { settings, node } = broker;
  const own: readonly (readonly [string, string, keyof typeof configTypes])[] = [
    ['broker.id', String(node.id), 'int'],
    ['node.id', String(node.id), 'int'],
    ['advertised.listeners', `PLAINTEXT://${node.host}:${node.port}`, 'string'],
    ['auto.create.topics.enable', String(settings.autoCreateTopics), 'boolean'],
    ['connections.max.idle.ms', String(settings.limits.idleMs), 'long'],
    ['default.replication.factor', '1', 'int'],
    ['delete.topic.enable', 'true', 'boolean'],
    ['fetch.max.bytes', String(settings.limits.fetchBytesMax), 'int'],
    ['group.initial.rebalance.delay.ms', String(settings.groups.initialRebalanceDelayMs), 'int'],
    ['group.max.session.timeout.ms', String(settings.groups.sessionTimeoutMsMax), 'int'],
    ['group.max.size', String(settings.groups.sizeMax), 'int'],
    ['group.min.session.timeout.ms', String(settings.groups.sessionTimeoutMsMin), 'int'],
    ['max.connections', String(settings.limits.connectionsMax), 'int'],
    ['num.partitions', String(settings.defaultPartitions), 'int'],
    ['offsets.retention.minutes', String(Math.floor(settings.groups.offsetsRetentionMs / 60_000)), 'int'],
    ['offsets.topic.replication.factor', '1', 'short'],
    ['socket.request.max.bytes', String(settings.limits.frameBytesMax), 'int'],
    ['transaction.max.timeout.ms', String(settings.transactionTimeoutMsMax), 'int'],
    ['transaction.state.log.replication.factor', '1', 'short'],
  ];
  const named = own.map(([name, value, type]) => brokerConfig(name, value, type));
  const ofTopics = Object.entries(topicConfigKeys).flatMap(([name, key]) =>
    key.brokerKey === null
      ? []
      : [brokerConfig(key.brokerKey, settings.topicDefaults[name] ?? key.default, key.type)],
  );
  return [...named, ...ofTopics];
}

function brokerConfig(name: string, value: string, type: keyof typeof configTypes): DescribedConfig {
  return {
    name,
    value,
    readOnly: true,
    configSource: sources.staticBroker,
    isSensitive: false,
    synonyms: [{ name, value, source: sources.staticBroker }],
    configType: configTypes[type],
  };
}
