import process from 'node:process';
import type { Writable } from 'node:stream';
import { loadConfig } from '@tidemark/config';
import { LagReader, probe } from '@tidemark/connectors';
import { lifecycle, type Service, TidemarkError } from '@tidemark/kernel';
import {
  createLogger,
  createMetrics,
  createOps,
  exposePool,
  type OpsServer,
  opsServer,
  type ReadinessCheck,
} from '@tidemark/observability';
import { consumerConfig } from './config.ts';
import { exposeGauges } from './gauges.ts';
import { type HostedPipeline, PipelineHost } from './host.ts';
import { LagSampler } from './lag-sampler.ts';
import { pipelineRoutes } from './pipeline-routes.ts';
import { RetentionSchedule } from './retention.ts';
import { selectPipelines } from './select-pipelines.ts';

/** The consumer: pipelines from topics to sinks, and an HTTP server that says how they are. */
export function compose(
  env: Readonly<Record<string, string | undefined>>,
  output: Writable = process.stdout,
): Service & Pick<OpsServer, 'port'> {
  const config = loadConfig(consumerConfig, env);
  const logger = createLogger({ service: 'consumer', level: config.LOG_LEVEL });
  const metrics = createMetrics();
  const host = new PipelineHost(config, logger, metrics);
  const hosted = selectPipelines(host, output);
  const reader = new LagReader(host.connection('lag'));
  const lags = new LagSampler(reader, hosted, host.clock, logger, config.LAG_INTERVAL);
  const { pool, clock } = host;
  const retention = new RetentionSchedule({
    pool,
    keepMs: config.PROCESSED_EVENTS_RETENTION,
    clock,
    logger,
    metrics,
  });
  exposeGauges(metrics, hosted, lags, () => clock.now());
  exposePool(metrics, pool, config.DATABASE_CONNECTIONS);
  const ops = createOps({
    metrics,
    checks: { database: () => probe(host.pool), broker: () => reader.ping(), ...pipelineChecks(hosted) },
  });
  const server = opsServer(config.METRICS_ADDR, ops, pipelineRoutes(hosted, lags, host));

  const parking = new AbortController();
  let releasing: Promise<void> = Promise.resolve();

  const service = lifecycle('consumer', {
    async start() {
      await server.start();
      // Sources mend what can be mended. What is left is a defect, and its unhandled rejection ends the process.
      for (const { pipeline } of hosted) void pipeline.run();
      lags.start();
      retention.start();
      if (hosted.some(({ parks }) => parks)) releasing = host.releaseParked(parking.signal);
      logger.info({ port: server.port, pipelines: hosted.map(({ name }) => name) }, 'consumer started');
    },
    async stop() {
      const deadline = AbortSignal.timeout(config.DRAIN_TIMEOUT);
      parking.abort();
      await Promise.all(hosted.map(({ pipeline }) => pipeline.stop(deadline)));
      await releasing;
      await lags.stop();
      await retention.stop();
      await server.stop();
      await host.close();
    },
  });
  return {
    ...service,
    get port() {
      return server.port;
    },
  };
}

/** A pipeline is ready while it is a member of its group and its sink takes deliveries. */
function pipelineChecks(hosted: readonly HostedPipeline[]): Record<string, ReadinessCheck> {
  const check = ({ name, pipeline, source }: HostedPipeline): [string, ReadinessCheck] => [
    name,
    () => {
      const { state } = pipeline.status();
      if (state === 'waiting') throw new TidemarkError('PIPELINE_WAITING', 'waits for its sink');
      if (state === 'starting' || !source.isMember) {
        throw new TidemarkError('PIPELINE_JOINING', 'has not joined its consumer group');
      }
    },
  ];
  return Object.fromEntries(hosted.map(check));
}
