/** The names that the parts agree on. They are also what existing consumers, dashboards and scripts expect. */

export const databaseName = 'sre_app';

/** Version that writers of this code base put into `schema_version`; readers accept it and the one before. */
export const eventSchemaVersion = 1;

export const topics = {
  /** Row changes as Canal-JSON. */
  changes: 'tidb_cdc',
  /** Application events. */
  events: 'events.main',
  /** Dead letters. */
  deadLetters: 'events.dlq',
} as const;

/** Partitions of the topics that Tidemark creates. */
export const topicPartitions: Readonly<Record<string, number>> = {
  [topics.changes]: 3,
  [topics.events]: 6,
  [topics.deadLetters]: 1,
};

/**
 * Settings of the topics that Tidemark creates, where the broker's defaults do not do. Dead letters are the truth that
 * their table is derived from, so they stay until somebody removes them; and one is larger than the event it holds,
 * so a limit of the same size would refuse the dead letter of an event that was just small enough.
 */
export const topicSettings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [topics.deadLetters]: { 'retention.ms': '-1', 'retention.bytes': '-1', 'max.message.bytes': '10485760' },
};

export const groups = {
  reviews: 'streamsre-consumer',
  /** The change store's; it is the one whose lag says how fresh the store is. */
  changes: 'tidb-cdc-consumer',
  /** The log of changes reads the same topic at its own pace, so it needs positions of its own. */
  changesLog: 'tidb-cdc-consumer-log',
  deadLetters: 'tidemark-dead-letters',
} as const;

export const changefeedId = 'sre-cdc';

/** Ports of the services on one machine. */
export const ports = {
  console: 3000,
  api: 3001,
  producer: 8000,
  consumer: 8001,
  capture: 8300,
  broker: 9092,
  brokerOps: 9644,
  postgres: 5433,
} as const;

/** The account of a stack that only this machine can reach. */
export const defaultAccount = { email: 'admin@example.com', password: 'admin123' } as const;

/** The pipelines that the consumer hosts. */
export const pipelines = {
  changesToLog: 'changes-to-log',
  changesToStore: 'changes-to-store',
  reviewsToPostgres: 'reviews-to-postgres',
  /** Derives the browsable table `dlq_events` from the dead-letter topic, which is the truth. */
  deadLettersToPostgres: 'dead-letters-to-postgres',
} as const;

/** The pipelines that the consumer hosts when it is told where they deliver to. */
export const furtherPipelines = {
  changesToIndex: 'changes-to-index',
  changesToWebhook: 'changes-to-webhook',
} as const;

/** Kafka headers that Tidemark sets. */
export const headers = {
  /** W3C trace context. */
  traceparent: 'traceparent',
  /**
   * Identity of a captured change: `<changefeed>:<commitTs>:<index in its transaction>`. A repeat after a crash
   * carries the same one, which is what makes it recognisable.
   */
  changeId: 'tidemark-change-id',
} as const;

/**
 * Kafka headers of a dead letter, beside the original record's own, which stay untouched: its `traceparent` among
 * them, so the trace goes on. Values are text. docs/dead-letters.md explains each.
 */
export const deadLetterHeaders = {
  /** UUID derived from pipeline, topic, partition and offset: the same failure always has the same one. */
  eventId: 'tidemark-dlq-event-id',
  pipeline: 'tidemark-dlq-pipeline',
  group: 'tidemark-dlq-group',
  topic: 'tidemark-dlq-topic',
  partition: 'tidemark-dlq-partition',
  offset: 'tidemark-dlq-offset',
  /** Timestamp of the original record, milliseconds since the epoch. */
  timestamp: 'tidemark-dlq-timestamp',
  /** undecodable, invalid, business_rule, refused_by_sink, retries_exhausted or parked. */
  reason: 'tidemark-dlq-reason',
  /** SQLSTATE, HTTP status or name of the error. */
  errorClass: 'tidemark-dlq-error-class',
  errorMessage: 'tidemark-dlq-error-message',
  /** Deliveries tried; 0 when the event never reached the sink. */
  attempts: 'tidemark-dlq-attempts',
  /** ISO 8601. */
  firstFailedAt: 'tidemark-dlq-first-failed-at',
  lastFailedAt: 'tidemark-dlq-last-failed-at',
} as const;

/** Kafka headers of an event that was sent back to its topic after it had been dead-lettered. Values are text. */
export const replayHeaders = {
  /** How often it has been sent back. */
  count: 'tidemark-replays',
  /** Id of the dead letter that was replayed. */
  letter: 'tidemark-replay-of',
  /** The pipeline that had refused the event; the others that read the topic have had it and pass over it. */
  pipeline: 'tidemark-replay-for',
  /**
   * `<pipeline>/<partition>/<offset>/<pass>/<number>`, the offset being the event's first. A pipeline that has parked
   * the event's key lets it pass by this.
   */
  origin: 'tidemark-replay-origin',
} as const;

/** Kafka header of a dead letter that was too large for its topic: size and SHA-256 of the value that it goes without. */
export const omittedPayloadHeader = 'tidemark-omitted-payload';

/** PostgreSQL channel on which the change store announces new rows; the payload is the newest change id. */
export const changeStoreChannel = 'change_events';
