import { ensureTopics } from '@tidemark/connectors';
import { pipelines, topics } from '@tidemark/contracts';
import { startPostgres, type TestPostgres } from '@tidemark/testkit';
import { type ConsumerProcess, startConsumer } from './consumer-process.ts';
import type { EventBroker } from './event-broker.ts';
import { watchEffects } from './verdict.ts';

/** Broker, database and consumers, each a process that a scenario can do harm to. */
export interface EventStack {
  readonly broker: EventBroker;
  readonly postgres: TestPostgres;
  /** Those that were started and not ended. */
  readonly consumers: ReadonlySet<ConsumerProcess>;
  startConsumer(env?: Readonly<Record<string, string>>): Promise<ConsumerProcess>;
  /** Ends a consumer and resolves with its exit code. */
  endConsumer(consumer: ConsumerProcess, signal: NodeJS.Signals): Promise<number | null>;
  stop(): Promise<void>;
}

export async function startEventStack(startBroker: () => Promise<EventBroker>): Promise<EventStack> {
  const broker = await startBroker();
  const postgres = await startPostgres({ migrated: true });
  const consumers = new Set<ConsumerProcess>();
  await ensureTopics({ brokers: [broker.bootstrap], clientId: 'test' }, Object.values(topics));
  await watchEffects(postgres);
  return {
    broker,
    postgres,
    consumers,
    async startConsumer(env = {}) {
      const consumer = await startConsumer({
        KAFKA_BROKERS: broker.bootstrap,
        DATABASE_URL: postgres.url,
        PIPELINES: `${pipelines.reviewsToPostgres},${pipelines.deadLettersToPostgres}`,
        SESSION_TIMEOUT: '1500ms',
        BATCH_EVENTS: '50',
        RETRY_BASE: '20ms',
        RETRY_CAP: '200ms',
        ...env,
      });
      consumers.add(consumer);
      return consumer;
    },
    endConsumer(consumer, signal) {
      consumers.delete(consumer);
      return consumer.end(signal);
    },
    async stop() {
      await Promise.all([...consumers].map(consumer => consumer.end('SIGKILL')));
      await broker.stop();
      await postgres.stop();
    },
  };
}
