import { loadConfig } from '@tidemark/config';
import { type Service, systemClock } from '@tidemark/kernel';
import { createLogger, createMetrics } from '@tidemark/observability';
import { createKafkaBroker } from './broker/kafka-broker.ts';
import { configSpec } from './config.ts';
import { createApiService } from './service.ts';

/** The api as a process: everything from the environment. */
export function compose(env: Readonly<Record<string, string | undefined>>): Service {
  const config = loadConfig(configSpec, env);
  return createApiService({
    config,
    logger: createLogger({ service: 'api', level: config.LOG_LEVEL }),
    metrics: createMetrics(),
    clock: systemClock,
    random: Math.random,
    broker: createKafkaBroker({
      brokers: config.KAFKA_BROKERS,
      produceTimeoutMs: config.PRODUCE_TIMEOUT,
      clock: systemClock,
      random: Math.random,
    }),
  });
}
