import type { BrokerCore } from '../broker-core.ts';
import { errorCodes, ProtocolError } from '../wire/error-codes.ts';
import { resourceTypes } from './config-description.ts';
import { checkTopicConfig, topicConfigKeys } from './topic-config.ts';

/** What IncrementalAlterConfigs does to a setting (KIP-339). */
const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

export interface AlteredResource extends Resource {
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

/** A setting of a topic after the change; null is refused by the check. */
type Overrides = ReadonlyMap<string, string | null>;

export interface ConfigOperation {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

/** Replaces the settings of a topic by what `change` makes of them. Settings of the broker are given at its start. */
export async function alterResource(
  broker: BrokerCore,
  { resourceType, resourceName }: Resource,
  validateOnly: boolean,
  change: (current: ReadonlyMap<string, string>) => Overrides,
): Promise<AlteredResource> {
  try {
    if (resourceType !== resourceTypes.topic) {
      throw new ProtocolError('invalidRequest', 'only topics can be configured while the broker runs');
    }
    const topic = broker.topics.get(resourceName);
    if (!topic) throw new ProtocolError('unknownTopicOrPartition');
    const changed = change(topic.overrides);
    for (const [name, value] of changed) checkTopicConfig(name, value);
    if (!validateOnly) await broker.topics.configure(topic, changed as ReadonlyMap<string, string>);
    return { errorCode: errorCodes.none, resourceType, resourceName };
  } catch (error) {
    const errorMessage = error instanceof ProtocolError ? error.message : null;
    return { errorCode: broker.codeOf(error), errorMessage, resourceType, resourceName };
  }
}

/** The settings with the operations applied, one after another. */
export function applyOperations(
  current: ReadonlyMap<string, string>,
  changes: readonly ConfigOperation[],
  brokerDefaults: Readonly<Record<string, string>>,
): Overrides {
  const result = new Map<string, string | null>(current);
  const seen = new Set<string>();
  for (const { name, configOperation, value } of changes) {
    if (seen.has(name)) throw new ProtocolError('invalidRequest', `${name} is changed more than once`);
    seen.add(name);
    if (configOperation === operations.delete) result.delete(name);
    else result.set(name, operated(name, result.get(name) ?? brokerDefaults[name], configOperation, value));
  }
  return result;
}

function operated(name: string, current: string | null | undefined, operation: number, value: string | null) {
  if (operation === operations.set) return value;
  const key = topicConfigKeys[name];
  if (operation !== operations.append && operation !== operations.subtract) {
    throw new ProtocolError('invalidRequest', `unknown operation ${operation}`);
  }
  if (key?.type !== 'list') throw new ProtocolError('invalidConfig', `${name} is not a list`);
  const before = splitList(current ?? key.default);
  const given = splitList(value ?? '');
  if (operation === operations.subtract) return before.filter(item => !given.includes(item)).join(',');
  return [...before, ...given.filter(item => !before.includes(item))].join(',');
}

const splitList = (text: string): string[] => text.split(',').filter(item => item !== '');
