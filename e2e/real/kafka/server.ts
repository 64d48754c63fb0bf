import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@tidemark/testkit';
import { Restartable } from '../../src/events/restartable.ts';
import type { BrokerUnderTest, LaunchOptions } from '../broker-under-test.ts';
import { freePorts } from '../free-ports.ts';
import { brokerAnswers } from '../protocol-probe.ts';
import { type KafkaDistribution, runJavaOk } from './java.ts';

/** A broker that comes back on the same address with the same data. */
export interface RestartableBroker extends BrokerUnderTest {
  /** Ends the process with this signal and starts it again. */
  restart(signal: NodeJS.Signals): Promise<void>;
}

export interface KafkaOptions extends LaunchOptions {
  /** Settings of the server that win over those of the tests. */
  readonly properties?: Readonly<Record<string, string | number>>;
  /** Options of the Java machine, in place of those that keep it small. */
  readonly javaOptions?: readonly string[];
}

/** A heap that lets many tests run side by side. */
const smallHeap = ['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC'];

/** Apache Kafka as one node, KRaft, in a folder of its own that is gone after `stop`. */
export async function startKafka(
  kafka: KafkaDistribution,
  options: KafkaOptions = {},
): Promise<RestartableBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-kafka-'));
  const ports = await freePorts('clients', 'controller');
  const properties = join(folder, 'server.properties');
  await writeFile(properties, lines({ ...serverProperties(folder, ports), ...options.properties }));
  const clusterId = randomBytes(16).toString('base64url');
  await runJavaOk(kafka, 'kafka.tools.StorageTool', [
    'format',
    `--cluster-id=${clusterId}`,
    '-c',
    properties,
  ]);
  const server = new Restartable(() =>
    startServer(kafka, { folder, properties, port: ports.clients, options }),
  );
  const stop = async () => {
    await server.stop(); // its data is thrown away, so nothing is gained by the seconds that an orderly shutdown takes
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: `Apache Kafka ${kafka.version}`,
    bootstrap: `127.0.0.1:${ports.clients}`,
    restart: signal => server.restart(signal),
    stop,
  };
}

interface Place {
  readonly folder: string;
  readonly properties: string;
  readonly port: number;
  readonly options: KafkaOptions;
}

/** Resolves once the server answers. */
async function startServer(
  kafka: KafkaDistribution,
  { folder, properties, port, options }: Place,
): Promise<ChildProcess> {
  const logFile = join(folder, 'server.log');
  const server = await launch(kafka, { properties, logFile, javaOptions: options.javaOptions ?? smallHeap });
  if (server.pid !== undefined) options.onLaunch?.({ pid: server.pid, port });
  try {
    await eventually(
      'Apache Kafka answers',
      () => {
        if (server.exitCode !== null) throw new Error(`Apache Kafka ended with ${server.exitCode}`);
        return brokerAnswers(port);
      },
      { withinMs: 60_000, everyMs: 100 },
    );
    return server;
  } catch (error) {
    server.kill('SIGKILL');
    const log = (await readFile(logFile, 'utf8')).slice(-4000);
    throw new Error(`Apache Kafka ${kafka.version} did not start; its log ends with\n${log}`, {
      cause: error,
    });
  }
}

interface Launch {
  readonly properties: string;
  readonly logFile: string;
  readonly javaOptions: readonly string[];
}

async function launch(
  kafka: KafkaDistribution,
  { properties, logFile, javaOptions }: Launch,
): Promise<ChildProcess> {
  const log = await open(logFile, 'a');
  const logging = (file: string) => fileURLToPath(new URL(file, import.meta.url));
  const server = spawn(
    'java',
    [
      ...javaOptions,
      `-Dlog4j.configuration=file:${logging('./3.9/log4j.properties')}`,
      `-Dlog4j2.configurationFile=${logging('./4/log4j2.properties')}`,
      ...kafka.javaArgs,
      'kafka.Kafka',
      properties,
    ],
    { stdio: ['ignore', log.fd, log.fd] },
  );
  await log.close();
  return server;
}

/** One node that is broker and controller; internal topics small and single, timers short, as the contract needs. */
function serverProperties(folder: string, ports: { clients: number; controller: number }) {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${ports.clients},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.clients}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'num.partitions': 1,
    'auto.create.topics.enable': true,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
  };
}

function lines(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
