import { type Config, defineConfig, setting } from '@tidemark/config';
import { databaseName, furtherPipelines, groups, ports, topics } from '@tidemark/contracts/names';
import { defaultBounds, defaultSinkPolicy, parkedKeysMaxDefault } from '@tidemark/pipeline';

/** Everything that the consumer can be told. */
export const consumerConfig = defineConfig({
  LOG_LEVEL: setting.text({ doc: 'Least severe level that is logged', default: 'info' }),
  METRICS_ADDR: setting.listenAddress({
    doc: 'Address of `/metrics`, `/healthz`, `/readyz` and `/pipelines`',
    default: { host: '127.0.0.1', port: ports.consumer },
  }),
  KAFKA_BROKERS: setting.list({
    doc: 'Brokers to begin with, as host:port',
    default: [`127.0.0.1:${ports.broker}`],
  }),
  DATABASE_URL: setting.url(['postgres', 'postgresql'], {
    doc: 'Database of the sinks',
    default: `postgres://tidemark:tidemark@127.0.0.1:${ports.postgres}/${databaseName}`,
    secret: true,
  }),
  DATABASE_CONNECTIONS: setting.integer({
    doc: 'Connections to the database, over all pipelines',
    default: 4,
    min: 1,
    max: 100,
  }),
  PIPELINES: setting.list({
    doc: 'Pipelines to run; those to an index and to a webhook run as well when their URL is given',
    default: ['changes-to-log', 'changes-to-store', 'reviews-to-postgres', 'dead-letters-to-postgres'],
  }),
  ELASTICSEARCH_URL: setting.optionalUrl(['http', 'https'], {
    doc: 'Elasticsearch or OpenSearch that every captured change goes to, ending in a slash',
    secret: true,
  }),
  ELASTICSEARCH_INDEX: setting.text({ doc: 'Index of the captured changes', default: 'changes' }),
  WEBHOOK_URL: setting.optionalUrl(['http', 'https'], {
    doc: 'Address that every captured change is posted to, signed',
    secret: true,
  }),
  WEBHOOK_SECRET: setting.optionalText({ doc: 'Secret that webhooks are signed with', secret: true }),
  KAFKA_TOPIC: setting.text({ doc: 'Topic of the application events', default: topics.events }),
  KAFKA_GROUP_ID: setting.text({ doc: 'Consumer group of the application events', default: groups.reviews }),
  CDC_TOPIC: setting.text({ doc: 'Topic of the captured changes', default: topics.changes }),
  CDC_GROUP_ID: setting.text({
    doc: 'Consumer group of the change store; the log of changes appends `-log`',
    default: groups.changes,
  }),
  MAX_INFLIGHT: setting.integer({
    doc: 'Batches of a pipeline that are delivered at the same time, over its partitions',
    default: defaultBounds.concurrency,
    min: 1,
    max: 10_000,
  }),
  BATCH_EVENTS: setting.integer({
    doc: 'Events in one delivery, at most',
    default: defaultBounds.batchItems,
    min: 1,
    max: 100_000,
  }),
  QUEUE_BYTES: setting.integer({
    doc: 'Bytes that a pipeline queues before it pauses reading',
    default: defaultBounds.queueBytes,
    min: 1024,
  }),
  PARK_KEYS: setting.list({
    doc: 'Pipelines in which a dead letter holds back what follows it with the same key, until it is dealt with',
    default: [furtherPipelines.changesToWebhook],
  }),
  PARKED_KEYS_MAX: setting.integer({
    doc: 'Keys of one partition that may be held back; with more the partition waits',
    default: parkedKeysMaxDefault,
    min: 1,
  }),
  RETRY_ATTEMPTS: setting.integer({
    doc: 'Deliveries of an event before it is dead-lettered while the sink is well',
    default: defaultSinkPolicy.retry.attempts,
    min: 1,
    max: 100,
  }),
  RETRY_BASE: setting.durationMs({
    doc: 'Delay before the first retry; doubles with each, times 0.5 to 1.5',
    default: defaultSinkPolicy.retry.baseMs,
  }),
  RETRY_CAP: setting.durationMs({
    doc: 'Longest delay between retries, before the jitter',
    default: defaultSinkPolicy.retry.capMs,
  }),
  LAG_INTERVAL: setting.durationMs({
    doc: 'Time between two looks at the lag, at least 100 ms',
    default: 10_000,
  }),
  SESSION_TIMEOUT: setting.durationMs({
    doc: 'Silence after which the group gives the partitions of a consumer away; brokers take 6 s at least',
    default: 6000,
  }),
  PROCESSED_EVENTS_RETENTION: setting.durationMs({
    doc: 'How long the id of an event is remembered after the event took effect, at least; what comes again later is not recognised by its id any more. Longer than topics keep their events',
    default: 30 * 24 * 3_600_000,
    min: 3_600_000,
  }),
  DRAIN_TIMEOUT: setting.durationMs({
    doc: 'Time that a stop may spend on finishing work in flight before it is abandoned whole',
    default: 6000,
  }),
});

export type ConsumerConfig = Config<typeof consumerConfig>;
