import { TidemarkError } from '@tidemark/kernel';

/** A Kafka sink URI of TiCDC, read (TiDB documentation, "Replicate Data to Kafka"). */
export interface KafkaSinkUri {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly createTopic: boolean;
  readonly clientId: string | undefined;
  readonly compression: Compression;
  /** Adds `_tidb.commitTs` to messages. */
  readonly tidbExtension: boolean;
  readonly tls: boolean;
  readonly insecureSkipVerify: boolean;
  readonly sasl:
    | { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
    | undefined;
}

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
type Compression = (typeof compressions)[number];
const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
type SaslMechanism = (typeof saslMechanisms)[number];

/** Parameters that this capture understands. Those that it does not are refused rather than passed over. */
const known = new Set([
  'protocol',
  'partition-num',
  'replication-factor',
  'auto-create-topic',
  'kafka-client-id',
  'kafka-version',
  'compression',
  'enable-tidb-extension',
  'max-message-bytes',
  'required-acks',
  'enable-tls',
  'insecure-skip-verify',
  'sasl-user',
  'sasl-password',
  'sasl-mechanism',
]);

/** @throws TidemarkError `SINK_URI_INVALID` */
export function parseSinkUri(text: string): KafkaSinkUri {
  const match = /^kafka(?:\+ssl)?:\/\/([^/?]+)\/([^?]+)(?:\?(.*))?$/.exec(text);
  if (!match) throw invalid('it must look like kafka://host:9092/topic?protocol=canal-json');
  const [, hosts = '', topic = '', query = ''] = match;
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) if (!known.has(name)) throw invalid(`unknown parameter ${name}`);
  const protocol = parameters.get('protocol') ?? 'canal-json';
  if (protocol !== 'canal-json') throw invalid(`protocol ${protocol} is not canal-json`);
  if ((parameters.get('required-acks') ?? '-1') !== '-1') {
    throw invalid('required-acks must be -1, or acknowledged changes could be lost');
  }
  return {
    brokers: hosts.split(',').map(readBroker),
    topic: readTopic(decodeURIComponent(topic)),
    partitions: readCount(parameters, 'partition-num', 3),
    replicas: parameters.has('replication-factor') ? readCount(parameters, 'replication-factor', 1) : -1,
    createTopic: readFlag(parameters, 'auto-create-topic', true),
    clientId: parameters.get('kafka-client-id') ?? undefined,
    compression: readChoice(parameters, 'compression', compressions, 'none'),
    tidbExtension: readFlag(parameters, 'enable-tidb-extension', false),
    tls: readFlag(parameters, 'enable-tls', text.startsWith('kafka+ssl:')),
    insecureSkipVerify: readFlag(parameters, 'insecure-skip-verify', false),
    sasl: readSasl(parameters),
  };
}

/** The URI with its secrets covered, for answers and logs. */
export function maskSinkUri(text: string): string {
  return text
    .replace(/(\/\/[^/@:]*:)[^/@]*@/, '$1xxxxx@')
    .replace(/([?&](?:sasl-password|password|secret[^=]*|token[^=]*)=)[^&]*/gi, '$1xxxxx');
}

function invalid(reason: string): TidemarkError {
  return new TidemarkError('SINK_URI_INVALID', `sink URI: ${reason}`, {
    hint: 'Example: kafka://127.0.0.1:9092/tidb_cdc?protocol=canal-json&enable-tidb-extension=true&partition-num=3',
  });
}

function readBroker(text: string): string {
  if (!/^(?:\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(text)) throw invalid(`${text} is not host:port`);
  return text;
}

function readTopic(topic: string): string {
  const legal = /^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..';
  if (!legal) throw invalid(`${topic} is no legal topic name`);
  return topic;
}

function readCount(parameters: URLSearchParams, name: string, fallback: number): number {
  const text = parameters.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 100_000) throw invalid(`${name} must be a positive number`);
  return value;
}

function readFlag(parameters: URLSearchParams, name: string, fallback: boolean): boolean {
  return readChoice(parameters, name, ['true', 'false'], fallback ? 'true' : 'false') === 'true';
}

function readChoice<T extends string>(
  parameters: URLSearchParams,
  name: string,
  options: readonly T[],
  fallback: T,
): T {
  const text = parameters.get(name);
  if (text === null) return fallback;
  const found = options.find(option => option === text);
  if (found === undefined) throw invalid(`${name} must be one of ${options.join(', ')}`);
  return found;
}

function readSasl(parameters: URLSearchParams): KafkaSinkUri['sasl'] {
  const username = parameters.get('sasl-user');
  if (username === null) return undefined;
  const mechanism = readChoice(parameters, 'sasl-mechanism', saslMechanisms, 'PLAIN');
  return { mechanism, username, password: parameters.get('sasl-password') ?? '' };
}
