import { TidemarkError } from '@tidemark/kernel';
import { covered } from './source-uri.ts';
import { UriParameters } from './uri-parameters.ts';

/** A Kafka sink URI of TiCDC, read (TiDB documentation, "Replicate Data to Kafka"). */
export interface KafkaSinkUri {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Undefined for as many as the topic has, or three when it is created. */
  readonly partitions: number | undefined;
  readonly replicas: number;
  readonly createTopic: boolean;
  readonly clientId: string | undefined;
  readonly compression: Compression;
  /** Adds `_tidb.commitTs` to messages. */
  readonly tidbExtension: boolean;
  /** Asks for what `sink.content_compatible` asks for. */
  readonly contentCompatible: boolean;
  /** Asks for what `sink.only_output_updated_columns` asks for. */
  readonly onlyUpdatedColumns: boolean;
  /** A larger message is refused, bytes. */
  readonly messageBytesMax: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Undefined for plain TCP. The paths are files on the machine of capture. */
  readonly tls:
    | {
        readonly verify: boolean;
        readonly caPath: string | undefined;
        readonly certPath: string | undefined;
        readonly keyPath: string | undefined;
      }
    | undefined;
  readonly sasl:
    | { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
    | undefined;
}

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
type Compression = (typeof compressions)[number];
const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
type SaslMechanism = (typeof saslMechanisms)[number];

/** TiCDC's defaults (pingcap/ticdc, pkg/sink/kafka/options.go). */
const defaults = { messageBytesMax: 10 * 1024 * 1024, timeoutMs: 10_000 } as const;

/**
 * Parameters that this capture understands; `kafka-version`, `max-retry` and `max-batch-size` steer TiCDC's machine and
 * come to nothing. Those that it does not understand are refused rather than passed over.
 */
const known = new Set([
  'protocol',
  'partition-num',
  'replication-factor',
  'auto-create-topic',
  'kafka-client-id',
  'kafka-version',
  'compression',
  'enable-tidb-extension',
  'content-compatible',
  'only-output-updated-columns',
  'output-row-key',
  'max-message-bytes',
  'max-batch-size',
  'max-retry',
  'required-acks',
  'dial-timeout',
  'read-timeout',
  'write-timeout',
  'enable-tls',
  'ca',
  'cert',
  'key',
  'insecure-skip-verify',
  'sasl-user',
  'sasl-password',
  'sasl-mechanism',
]);

/** Why TiCDC's other parameters are refused, by the beginning of their names. */
const foreign: Readonly<Record<string, string>> = {
  'sasl-gssapi-': 'signing in by Kerberos is not supported; use sasl-user with PLAIN or SCRAM',
  'sasl-oauth-': 'signing in by OAuth is not supported; use sasl-user with PLAIN or SCRAM',
  'avro-': 'it belongs to the protocol avro, and only canal-json is spoken here',
  'schema-registry': 'it belongs to the protocol avro, and only canal-json is spoken here',
  'debezium-': 'it belongs to the protocol debezium, and only canal-json is spoken here',
  'encoding-format': 'it belongs to the protocol simple, and only canal-json is spoken here',
};

/** @throws TidemarkError `SINK_URI_INVALID` */
export function parseSinkUri(text: string): KafkaSinkUri {
  const match = /^kafka(?:\+ssl)?:\/\/([^/?]+)\/([^?]+)(?:\?(.*))?$/.exec(text);
  if (!match) throw invalid('it must look like kafka://host:9092/topic?protocol=canal-json');
  const [, hosts = '', topic = '', query = ''] = match;
  const parameters = new UriParameters(query, invalid);
  refuseUnsupported(parameters);
  const requestTimeouts = ['read-timeout', 'write-timeout'].map(name =>
    parameters.durationMs(name, defaults.timeoutMs),
  );
  return {
    brokers: hosts.split(',').map(readBroker),
    topic: readTopic(decodeURIComponent(topic)),
    partitions: parameters.count('partition-num'),
    replicas: parameters.count('replication-factor') ?? -1,
    createTopic: parameters.flag('auto-create-topic', true),
    clientId: parameters.text('kafka-client-id'),
    compression: parameters.choice('compression', compressions, 'none'),
    tidbExtension: parameters.flag('enable-tidb-extension', false),
    contentCompatible: parameters.flag('content-compatible', false),
    onlyUpdatedColumns: parameters.flag('only-output-updated-columns', false),
    messageBytesMax: parameters.count('max-message-bytes') ?? defaults.messageBytesMax,
    connectTimeoutMs: parameters.durationMs('dial-timeout', defaults.timeoutMs),
    requestTimeoutMs: Math.max(...requestTimeouts),
    tls: readTls(parameters, text.startsWith('kafka+ssl:')),
    sasl: readSasl(parameters),
  };
}

/** Refuses what cannot be kept, by name. */
function refuseUnsupported(parameters: UriParameters): void {
  for (const name of parameters.names) {
    if (known.has(name)) continue;
    const reason = Object.entries(foreign).find(([start]) => name.startsWith(start))?.[1];
    throw invalid(reason === undefined ? `unknown parameter ${name}` : `${name}: ${reason}`);
  }
  const protocol = parameters.text('protocol') ?? 'canal-json';
  if (protocol.toLowerCase() !== 'canal-json') throw invalid(`protocol ${protocol} is not canal-json`);
  if ((parameters.text('required-acks') ?? '-1') !== '-1') {
    throw invalid('required-acks must be -1, or acknowledged changes could be lost');
  }
  if (parameters.flag('output-row-key', false)) {
    throw invalid(
      'output-row-key must be false: it asks for the key of the row in TiKV, and PostgreSQL has none',
    );
  }
}

/** The URI with its secrets covered, for answers and logs. */
export function maskSinkUri(text: string): string {
  return text
    .replace(/(\/\/[^/@:]*:)[^/@]*@/, `$1${covered}@`)
    .replace(/([?&](?:sasl-password|password|secret[^=]*|token[^=]*)=)[^&]*/gi, `$1${covered}`);
}

function invalid(reason: string): TidemarkError {
  return new TidemarkError('SINK_URI_INVALID', `sink URI: ${reason}`, {
    hint: 'Example: kafka://127.0.0.1:9092/tidb_cdc?protocol=canal-json&enable-tidb-extension=true&partition-num=3',
  });
}

function readBroker(text: string): string {
  if (text.includes('@')) throw invalid('users and passwords go into sasl-user and sasl-password');
  if (!/^(?:\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(text)) throw invalid(`${text} is not host:port`);
  return text;
}

function readTopic(topic: string): string {
  const legal = /^[a-zA-Z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..';
  if (!legal) throw invalid(`${topic} is no legal topic name`);
  return topic;
}

/** As in TiCDC, naming a certificate asks for TLS as well. */
function readTls(parameters: UriParameters, isDefault: boolean): KafkaSinkUri['tls'] {
  const [caPath, certPath, keyPath] = ['ca', 'cert', 'key'].map(name => parameters.text(name));
  if ((certPath === undefined) !== (keyPath === undefined)) throw invalid('cert and key belong together');
  const isNamed = caPath !== undefined || certPath !== undefined;
  if (!parameters.flag('enable-tls', isDefault || isNamed)) {
    if (isNamed) throw invalid('ca, cert and key need enable-tls=true');
    return undefined;
  }
  return { verify: !parameters.flag('insecure-skip-verify', false), caPath, certPath, keyPath };
}

function readSasl(parameters: UriParameters): KafkaSinkUri['sasl'] {
  const username = parameters.text('sasl-user');
  const password = parameters.text('sasl-password');
  if (username === undefined) {
    if (password !== undefined) throw invalid('sasl-password needs sasl-user');
    return undefined;
  }
  if (password === covered) {
    throw invalid(`sasl-password is ${covered}, which stands for a secret in answers`);
  }
  const given = parameters.text('sasl-mechanism')?.toUpperCase();
  const mechanism = given === undefined ? 'PLAIN' : saslMechanisms.find(each => each === given);
  if (mechanism === undefined) throw invalid(`sasl-mechanism must be one of ${saslMechanisms.join(', ')}`);
  return { mechanism, username, password: password ?? '' };
}
