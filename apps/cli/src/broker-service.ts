import {
  type BrokerMetrics,
  type BrokerSnapshot,
  type FsyncPolicy,
  type RunningBroker,
  startBroker,
} from '@tidemark/broker';
import { loadConfig, setting } from '@tidemark/config';
import { ports } from '@tidemark/contracts/names';
import { exitCodes, inOrder, lifecycle, TidemarkError } from '@tidemark/kernel';
import { createLogger, createMetrics, createOps, type Metrics, opsServer } from '@tidemark/observability';
import type { CommandContext, CommandInput } from './command.ts';

const fsyncPolicies = ['os', 'interval', 'group'] as const satisfies readonly FsyncPolicy[];

/** Settings of the broker as a program; a flag of the same meaning wins over the environment. */
const brokerConfig = {
  LOG_LEVEL: setting.text({ default: 'info', doc: 'pino level: trace, debug, info, warn, error or fatal' }),
  BROKER_METRICS_ADDR: setting.listenAddress({
    default: { host: '127.0.0.1', port: ports.brokerOps },
    doc: 'where /metrics, /healthz and /readyz are served',
  }),
  BROKER_FSYNC: setting.choice(fsyncPolicies, {
    default: 'interval',
    doc: 'what an acknowledgement survives: `os` the death of the process, `interval` a power cut but for 200 ms, `group` a power cut',
  }),
};

/** Runs the broker until it is interrupted. */
export async function runBroker(input: CommandInput, { env, interrupted }: CommandContext): Promise<number> {
  const config = loadConfig(brokerConfig, withFlags(env, input));
  const port = input.integer('port', ports.broker, 65_535);
  const logger = createLogger({ service: 'broker', level: config.LOG_LEVEL });
  const metrics = createMetrics();
  let broker: RunningBroker | undefined;
  const ops = createOps({
    metrics,
    checks: {
      broker() {
        if (!broker) throw new TidemarkError('BROKER_STARTING', 'is starting');
      },
    },
  });
  exposeHoldings(metrics, () => broker?.snapshot());
  const service = inOrder('broker', [
    opsServer(config.BROKER_METRICS_ADDR, ops),
    lifecycle('broker', {
      async start() {
        broker = await startBroker({
          host: input.text('host') ?? '127.0.0.1',
          port,
          dataDir: input.text('data') ?? '.tidemark/broker',
          fsync: config.BROKER_FSYNC,
          logger,
          metrics: registered(metrics),
        });
      },
      stop: async () => broker?.stop(),
    }),
  ]);
  await service.start();
  await aborted(interrupted);
  await service.stop();
  return exitCodes.ok;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function withFlags(env: CommandContext['env'], input: CommandInput): CommandContext['env'] {
  const metricsAddress = input.text('metrics-addr');
  const fsync = input.text('fsync');
  return {
    ...env,
    ...(metricsAddress === undefined ? {} : { BROKER_METRICS_ADDR: metricsAddress }),
    ...(fsync === undefined ? {} : { BROKER_FSYNC: fsync }),
  };
}

/** Kafka's own count of what the broker does, under the names of the catalogue. */
function registered(metrics: Metrics): BrokerMetrics {
  const requests = metrics.counter('broker_requests_total');
  const durations = metrics.histogram('broker_request_duration_seconds');
  const bytes = metrics.counter('broker_bytes_total');
  const connections = metrics.gauge('broker_connections');
  return {
    requestDone(api, error, durationMs) {
      requests.inc({ api, error });
      durations.observe({ api }, durationMs / 1000);
    },
    bytesReceived: count => bytes.inc({ direction: 'in' }, count),
    bytesSent: count => bytes.inc({ direction: 'out' }, count),
    connectionOpened: () => connections.inc(),
    connectionClosed: () => connections.dec(),
  };
}

/** What the broker holds, looked up at each scrape. What is gone since the last one must not stay behind. */
function exposeHoldings(metrics: Metrics, look: () => BrokerSnapshot | undefined): void {
  const ends = metrics.gauge('broker_log_end_offset');
  const sizes = metrics.gauge('broker_log_size_bytes');
  const members = metrics.gauge('broker_group_members');
  metrics.beforeScrape(() => {
    for (const gauge of [ends, sizes, members]) gauge.reset();
    const held = look();
    for (const { topic, partition, highWatermark, sizeBytes } of held?.partitions ?? []) {
      ends.set({ topic, partition }, highWatermark);
      sizes.set({ topic, partition }, sizeBytes);
    }
    for (const { group, members: count } of held?.groups ?? []) members.set({ group }, count);
  });
}
