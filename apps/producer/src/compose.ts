import { loadConfig } from '@tidemark/config';
import { chooseSeed, EventGenerator, EventSender, trafficOf } from '@tidemark/connectors/synthetic';
import {
  describeError,
  lifecycle,
  type Service,
  seededRandom,
  systemClock,
  TidemarkError,
} from '@tidemark/kernel';
import {
  createLogger,
  createMetrics,
  createOps,
  explainListenError,
  mountOps,
} from '@tidemark/observability';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { Background } from './background.ts';
import { type ProducerConfig, producerConfig } from './config.ts';
import { addRoutes } from './routes.ts';

/** The producer as a service: idle until it is told to produce. */
export function compose(
  env: Readonly<Record<string, string | undefined>>,
): Service & { readonly port: number } {
  const config = loadConfig(producerConfig, env);
  const logger = createLogger({ service: 'producer', level: config.LOG_LEVEL });
  const metrics = createMetrics();
  const produced = metrics.counter('events_produced_total');
  const failures = metrics.counter('produce_errors_total');
  const duration = metrics.histogram('produce_duration_seconds');
  const connection = { brokers: config.KAFKA_BROKERS, clientId: 'tidemark-producer' };
  const sender = new EventSender(connection, config.KAFKA_TOPIC, systemClock, {
    acknowledged(events, durationMs) {
      produced.inc(events);
      duration.observe(durationMs / 1000);
    },
    failed(error) {
      failures.inc();
      logger.warn({ error: describeError(error) }, 'events could not be sent');
    },
  });
  const defaults = trafficOf(config);
  const background = new Background(sender, systemClock);
  const generator = new EventGenerator(defaults, seededRandom(chooseSeed(config.SEED)), systemClock);
  const server = Fastify({ logger: false, bodyLimit: 16 * 1024 * 1024, forceCloseConnections: true });
  server.setErrorHandler<FastifyError>(async (error, _request, reply) => {
    const status = error.statusCode ?? 503;
    const code = status < 500 ? 'BAD_REQUEST' : 'BROKER_UNAVAILABLE';
    return reply.code(status).send({ error: { code, message: describeError(error) } });
  });
  // Browsers name the page that a request comes from; no page may produce events through somebody's browser.
  server.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' || request.headers.origin === undefined) return;
    return reply.code(403).send({ error: { code: 'NOT_FOR_BROWSERS', message: 'not for browsers' } });
  });
  mountOps(server, createOps({ metrics, checks: { broker: () => sender.ping() } }));
  addRoutes(server, { background, generator, sender, defaults, clock: systemClock });

  const service = lifecycle('producer', {
    async start() {
      await listen(server, config);
      logger.info({ port: portOf(server) }, 'producer started');
    },
    async stop() {
      await background.stop();
      await server.close();
      await sender.close();
    },
  });
  return {
    ...service,
    get port() {
      return portOf(server);
    },
  };
}

async function listen(server: FastifyInstance, { PRODUCER_ADDR }: ProducerConfig): Promise<void> {
  try {
    await server.listen(PRODUCER_ADDR);
  } catch (error) {
    throw explainListenError(error, PRODUCER_ADDR);
  }
}

function portOf(server: FastifyInstance): number {
  const address = server.server.address();
  if (address === null || typeof address === 'string') {
    throw new TidemarkError('NOT_LISTENING', 'the producer is not listening');
  }
  return address.port;
}
