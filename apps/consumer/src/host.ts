import {
  createMessageSender,
  createPool,
  DeadLetterDesk,
  type KafkaConnection,
  KafkaSource,
  kafkaDeadLetters,
  type MessageSender,
  ParkedLetters,
  type Pool,
  postgresParking,
  probe,
  releaseParked,
} from '@tidemark/connectors';
import { type Clock, describeError, systemClock } from '@tidemark/kernel';
import type { Logger, Metrics } from '@tidemark/observability';
import { type Decoder, Pipeline, type PipelineObserver, type Sink } from '@tidemark/pipeline';
import type { ConsumerConfig } from './config.ts';
import { meterPipeline } from './meter-pipeline.ts';

/** How often it is looked for letters that nothing holds back any more, milliseconds. */
const releaseIntervalMs = 1000;

/** What a pipeline says about itself. */
export interface PipelineDeclaration<E> {
  readonly name: string;
  readonly group: string;
  readonly topic: string;
  /** Where the effects go, in words. */
  readonly sinkName: string;
  readonly decode: Decoder<E>;
  readonly sink: Sink<E>;
  /** Whether position and ledger lie in the database. */
  readonly inDatabase: boolean;
  /** Rejects while the sink as a whole is not well. Unless given, the database decides for what lies in it. */
  readonly probe?: (signal: AbortSignal) => Promise<void>;
  readonly observer?: PipelineObserver<E>;
}

/** A pipeline with its source, as the service runs and reports it. */
export interface HostedPipeline {
  readonly name: string;
  readonly group: string;
  readonly topic: string;
  readonly sinkName: string;
  readonly inDatabase: boolean;
  /** Whether a dead letter holds back what follows it with the same key. */
  readonly parks: boolean;
  readonly source: KafkaSource;
  readonly pipeline: Pick<
    Pipeline<unknown>,
    'run' | 'stop' | 'status' | 'pause' | 'resume' | 'setConcurrency' | 'setRate'
  >;
}

/** What all pipelines of the process share. */
export class PipelineHost {
  readonly config: ConsumerConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock = systemClock;
  readonly pool: Pool;
  readonly #sender: MessageSender;

  constructor(config: ConsumerConfig, logger: Logger, metrics: Metrics) {
    this.config = config;
    this.logger = logger;
    this.metrics = metrics;
    this.#sender = createMessageSender(this.connection('dead-letters'));
    this.pool = createPool({
      databaseUrl: config.DATABASE_URL,
      applicationName: 'tidemark-consumer',
      connections: config.DATABASE_CONNECTIONS,
      onLost: error => logger.warn({ error: describeError(error) }, 'a database connection was lost'),
      onQuery: (query, durationMs) =>
        metrics.histogram('db_query_duration_seconds').observe({ query }, durationMs / 1000),
    });
  }

  connection(purpose: string): KafkaConnection {
    return { brokers: this.config.KAFKA_BROKERS, clientId: `tidemark-consumer-${purpose}` };
  }

  /** Wires a declared pipeline to the broker, the dead letters, the metrics and the log. */
  host<E>(declared: PipelineDeclaration<E>): HostedPipeline {
    const { config, clock, metrics, pool } = this;
    const { name, group, topic, sinkName, inDatabase, decode, sink, observer = {} } = declared;
    const logger = this.logger.child({ pipeline: name });
    const source = new KafkaSource({
      ...this.connection(name),
      groupId: group,
      topics: [topic],
      sessionTimeoutMs: config.SESSION_TIMEOUT,
      clock,
      random: Math.random,
      onFailure: (what, error) =>
        logger.warn({ error: describeError(error) }, `could not ${what}; trying again`),
      onJump: (partition, from, to) =>
        logger.error(
          { ...partition, from: String(from), to: String(to) },
          'the log does not have this offset',
        ),
    });
    const parks = config.PARK_KEYS.includes(name);
    const pipeline = new Pipeline<E>({
      name,
      source,
      decode,
      sink,
      deadLetters: kafkaDeadLetters(this.#sender, group),
      probe: declared.probe ?? (inDatabase ? () => probe(pool) : async () => {}),
      ...(parks ? { parking: postgresParking(name, pool, config.PARKED_KEYS_MAX) } : {}),
      bounds: {
        concurrency: config.MAX_INFLIGHT,
        batchItems: config.BATCH_EVENTS,
        queueItems: config.BATCH_EVENTS * 2,
        queueBytes: config.QUEUE_BYTES,
      },
      policy: {
        retry: { attempts: config.RETRY_ATTEMPTS, baseMs: config.RETRY_BASE, capMs: config.RETRY_CAP },
        breaker: { failures: 3, cooldown: { baseMs: 500, capMs: 5000 } },
      },
      observer: meterPipeline(name, metrics, logger, observer),
      clock,
      random: Math.random,
    });
    return { name, group, topic, sinkName, inDatabase, parks, source, pipeline };
  }

  /** Sends back what is held back no longer, until the signal aborts. */
  async releaseParked(signal: AbortSignal): Promise<void> {
    const { pool, clock, logger } = this;
    const desk = new DeadLetterDesk(pool, this.#sender, clock);
    const parked = new ParkedLetters(pool);
    while (!signal.aborted) {
      try {
        const sent = await releaseParked(desk, parked);
        if (sent > 0) logger.info({ letters: sent }, 'dead letters that were only held back were sent back');
      } catch (error) {
        logger.warn({ error: describeError(error) }, 'parked keys could not be looked at; trying again');
      }
      await clock.sleep(releaseIntervalMs, signal).catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#sender.close();
    await this.pool.end();
  }
}
