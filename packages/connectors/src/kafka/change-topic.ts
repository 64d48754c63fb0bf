import { Admin, findErrorBy, ProduceAcks, Producer } from '@platformatic/kafka';
import { describeError, TidemarkError } from '@tidemark/kernel';

/** How to reach a cluster. */
export interface ChangeTopicConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Trust settings; plain TCP when left out. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly verify: boolean;
  };
  readonly sasl?: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
    readonly username: string;
    readonly password: string;
  };
  readonly connectTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
}

export interface ChangeTopicOptions extends ChangeTopicConnection {
  readonly topic: string;
  /** Partitions to write to; the topic must have at least as many. All of them when left open. */
  readonly partitions: number | undefined;
  /** Replicas of a topic that is created here; -1 leaves it to the cluster (KIP-464). */
  readonly replicas: number;
  readonly create: boolean;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
}

/** A message of which the sender has decided everything, its partition included. */
export interface PlacedMessage {
  readonly partition: number;
  readonly value: Buffer;
  /** Header names and values. */
  readonly headers: ReadonlyMap<string, string>;
  readonly timestampMs: number;
}

/** Writes to the partitions of one topic, in order. */
export interface ChangeTopic {
  /**
   * Creates the topic if it does not exist and that is allowed; answers to how many partitions messages go.
   * @throws TidemarkError `KAFKA_REFUSED` when the topic has too few
   */
  open(): Promise<number>;
  /**
   * Resolves when all in-sync replicas have every message. Call it again only after it has settled: order and
   * idempotence hold for one batch at a time.
   * @throws TidemarkError `KAFKA_REFUSED` when trying again cannot help; any other error may pass
   */
  send(messages: readonly PlacedMessage[]): Promise<void>;
  close(): Promise<void>;
}

const emptyKey = Buffer.alloc(0);

/** Attempts of the client itself before an error is reported; they reuse the sequence numbers, so nothing doubles. */
const clientRetries = 3;

/** TiCDC writes an empty key, not a missing one, with row changes (pingcap/ticdc, pkg/sink/kafka). */
export function changeTopic(options: ChangeTopicOptions): ChangeTopic {
  let producer: Producer<Buffer, Buffer, string, string> | undefined;
  return {
    open: () => ensureTopic(options),
    async send(messages) {
      producer ??= openProducer(options);
      const used = producer;
      try {
        await used.send({
          messages: messages.map(({ partition, value, headers, timestampMs }) => ({
            topic: options.topic,
            partition,
            key: emptyKey,
            value,
            headers: headers as Map<string, string>,
            timestamp: BigInt(timestampMs),
          })),
        });
      } catch (error) {
        // The sequence numbers of the batch are used up: only a new producer id continues without a gap (KIP-98).
        producer = undefined;
        await used.close(true).catch(() => {});
        throw explain(error, options);
      }
    },
    async close() {
      await producer?.close(true).catch(() => {});
      producer = undefined;
    },
  };
}

function openProducer(options: ChangeTopicOptions): Producer<Buffer, Buffer, string, string> {
  const toBuffer = (data?: string) => (data === undefined ? undefined : Buffer.from(data));
  return new Producer<Buffer, Buffer, string, string>({
    ...clientOptions(options),
    serializers: { headerKey: toBuffer, headerValue: toBuffer },
    acks: ProduceAcks.ALL,
    idempotent: true,
    autocreateTopics: false,
    ...(options.compression === 'none' ? {} : { compression: options.compression }),
  });
}

function clientOptions(connection: ChangeTopicConnection) {
  const { brokers, clientId, tls, sasl, connectTimeoutMs = 5000, requestTimeoutMs = 15_000 } = connection;
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    retries: clientRetries,
    retryDelay: 250,
    connectTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    timeout: 10_000,
    ...(tls === undefined
      ? {}
      : {
          tls: {
            rejectUnauthorized: tls.verify,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
          tlsServerName: true,
        }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  };
}

/** Partitions of a topic that is created here, as in TiCDC. */
const createdPartitions = 3;

async function ensureTopic(options: ChangeTopicOptions): Promise<number> {
  const { topic, partitions, replicas, create } = options;
  const admin = new Admin(clientOptions(options));
  try {
    const existing = await admin.listTopics();
    if (!existing.includes(topic)) {
      if (!create)
        throw refused(`topic ${topic} does not exist`, 'Create it, or set auto-create-topic=true.');
      await admin
        .createTopics({ topics: [{ topic, partitions: partitions ?? createdPartitions, replicas }] })
        .catch(ignoreExisting);
    }
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
    const available = metadata.topics.get(topic)?.partitionsCount ?? 0;
    if (available < (partitions ?? 1)) {
      throw refused(
        `topic ${topic} has ${available} partitions, fewer than partition-num=${partitions ?? 1}`,
        'Lower partition-num in the sink URI, or add partitions to the topic.',
      );
    }
    return partitions ?? available;
  } catch (error) {
    throw explain(error, options);
  } finally {
    await admin.close().catch(() => {});
  }
}

/** Somebody else may have been faster. */
function ignoreExisting(error: Error): void {
  if (!findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS')) throw error;
}

/** Answers of a broker that another attempt will get as well. */
const permanent: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: 'Raise max.message.bytes of the topic.',
  RECORD_LIST_TOO_LARGE: 'Raise max.message.bytes of the topic.',
  TOPIC_AUTHORIZATION_FAILED: 'Grant WRITE on the topic to the user of the sink URI.',
  CLUSTER_AUTHORIZATION_FAILED: 'Grant IDEMPOTENT_WRITE on the cluster to the user of the sink URI.',
  INVALID_TOPIC_EXCEPTION: 'Choose a legal topic name in the sink URI.',
  SASL_AUTHENTICATION_FAILED: 'Correct sasl-user and sasl-password in the sink URI.',
  UNSUPPORTED_SASL_MECHANISM: 'Choose a sasl-mechanism that the broker offers.',
};

function explain(error: unknown, { topic, brokers }: ChangeTopicOptions): unknown {
  if (!(error instanceof Error) || error instanceof TidemarkError) return error;
  for (const [id, hint] of Object.entries(permanent)) {
    if (findErrorBy(error, 'apiId', id)) return refused(`the broker refused ${topic}: ${id}`, hint, error);
  }
  const reason = describeError(innermost(error));
  return new TidemarkError(
    'KAFKA_UNAVAILABLE',
    `cannot write to ${topic} at ${brokers.join(',')}: ${reason}`,
    {
      facts: { topic },
    },
  );
}

/** The client wraps what happened in lists of attempts; the last one at the bottom says it. */
function innermost(error: Error): Error {
  const inner: unknown = error instanceof AggregateError ? error.errors.at(-1) : error.cause;
  return inner instanceof Error ? innermost(inner) : error;
}

function refused(message: string, hint: string, cause?: unknown): TidemarkError {
  return new TidemarkError('KAFKA_REFUSED', message, { hint, cause });
}
