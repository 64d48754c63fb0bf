import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { pid } from 'node:process';
import { loadConfig } from '@tidemark/config';
import { inOrder, lifecycle, type Service, systemClock } from '@tidemark/kernel';
import { createLogger, createMetrics, createOps, exposePool } from '@tidemark/observability';
import { Pool } from 'pg';
import { apiServer } from './api/server.ts';
import { ChangefeedStore } from './changefeed/changefeed-store.ts';
import { Changefeeds } from './changefeed/changefeeds.ts';
import { feedMetrics } from './changefeed/feed-metrics.ts';
import { feedSettings } from './changefeed/feed-settings.ts';
import { defaultChangefeed, sourceChangefeed } from './changefeed/first-changefeeds.ts';
import { kafkaSink } from './changefeed/kafka-sink.ts';
import { readinessChecks } from './changefeed/readiness.ts';
import { secretBox } from './changefeed/secret-box.ts';
import { exposeSlots } from './changefeed/slot-metrics.ts';
import { captureConfig } from './config.ts';
import { removeLeftovers } from './stream/streamed-transactions.ts';

/** The capture service: changefeeds over the database, their API, health and metrics. */
export interface CaptureService extends Service {
  /** The port in use once started. */
  readonly port: number;
  readonly changefeeds: Changefeeds;
}

/** Connections for checkpoints and the API; each is opened when needed and closed when idle. */
const poolSize = 3;

export function compose(env: Readonly<Record<string, string | undefined>>): CaptureService {
  const config = loadConfig(captureConfig, env);
  const logger = createLogger({ service: 'capture', level: config.LOG_LEVEL });
  const metrics = createMetrics();
  const pool = new Pool({
    connectionString: config.DATABASE_URL,
    application_name: 'tidemark-capture',
    max: poolSize,
    connectionTimeoutMillis: 5000,
  });
  pool.on('error', () => {}); // an idle connection broke; the next statement opens another
  exposePool(metrics, pool, poolSize);
  exposeSlots(metrics, pool);
  const store = new ChangefeedStore(pool, secretBox(config.CAPTURE_SECRET));
  const now = () => systemClock.now();
  const dataDir = resolve(config.CAPTURE_DATA_DIR);
  const changefeeds: Changefeeds = new Changefeeds({
    ownUrl: config.DATABASE_URL,
    store,
    makeSink: (sinkUri, changefeed) => kafkaSink(sinkUri, changefeed, now),
    metrics: feedMetrics(metrics, () => changefeeds.statuses(), now),
    logger,
    clock: systemClock,
    random: Math.random,
    settings: feedSettings,
    dataDir,
  });
  const ping = () => store.ping();
  const server = apiServer({
    address: config.CAPTURE_ADDR,
    api: {
      changefeeds,
      captureId: randomUUID(),
      pid,
      address: () => `${config.CAPTURE_ADDR.host}:${server.port}`,
      now,
      setLogLevel: level => void (logger.level = level),
      ping,
    },
    ops: createOps({ metrics, checks: readinessChecks(changefeeds, ping) }),
    logger,
  });
  const { CAPTURE_SOURCE_URL: sourceUrl } = config;
  const initial = [
    ...(config.CAPTURE_DEFAULT_CHANGEFEED ? [defaultChangefeed(config)] : []),
    ...(sourceUrl === undefined ? [] : [sourceChangefeed(sourceUrl, config.KAFKA_BROKERS)]),
  ];
  const feeds = lifecycle('changefeeds', {
    async start() {
      await removeLeftovers(dataDir);
      changefeeds.open(initial);
    },
    stop: () => changefeeds.close(),
  });
  const database = lifecycle('database pool', { start: async () => {}, stop: () => pool.end() });
  return {
    ...inOrder('capture', [database, server, feeds]),
    get port() {
      return server.port;
    },
    changefeeds,
  };
}
