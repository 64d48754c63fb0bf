import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tidemark/embedded-postgres';
import { endProcess, eventually } from '@tidemark/testkit';
import { measureOk } from './commands.ts';

const host = '127.0.0.1';
const pom = fileURLToPath(new URL('../connect/pom.xml', import.meta.url));
const cache = process.env['TIDEMARK_CACHE'] || fileURLToPath(new URL('../../.cache/', import.meta.url));

/** Something that was started for a measurement. */
export interface Started {
  readonly address: string;
  stop(): Promise<void>;
}

/** Fetches Apache Kafka, Kafka Connect and Debezium from Maven Central, once; answers the folder of the jars. */
export async function fetchPeers(): Promise<string> {
  const folder = join(cache, 'capture-peers');
  if (await stat(folder).catch(() => undefined)) return folder;
  const unfinished = `${folder}.unfinished-${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies';
  const args = ['--batch-mode', '--quiet', '--file', pom, goal, '-DincludeScope=runtime'];
  await measureOk('mvn', [...args, `-DoutputDirectory=${unfinished}`], cache);
  await rename(unfinished, folder);
  return folder;
}

/** Apache Kafka as one node, KRaft. */
export async function startApacheKafka(jars: string): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-kafka-'));
  const [clients, controller] = [await freePort(host), await freePort(host)];
  const properties = join(folder, 'server.properties');
  await writeProperties(properties, {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${host}:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${host}:${clients},CONTROLLER://${host}:${controller}`,
    'advertised.listeners': `PLAINTEXT://${host}:${clients}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
  });
  const clusterId = randomBytes(16).toString('base64url');
  const storage = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', properties];
  await measureOk('java', ['-cp', join(jars, '*'), ...storage], folder);
  const child = java(jars, ['-Xms256m', '-Xmx512m'], ['kafka.Kafka', properties]);
  return { address: `${host}:${clients}`, stop: () => end(child, folder) };
}

/** A Kafka Connect worker with a REST API, and connectors that are asked for through it. */
export async function startConnect(jars: string, brokers: string): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-connect-'));
  const port = await freePort(host);
  const properties = join(folder, 'worker.properties');
  const json = 'org.apache.kafka.connect.json.JsonConverter';
  await writeProperties(properties, {
    'bootstrap.servers': brokers,
    listeners: `http://${host}:${port}`,
    'key.converter': json,
    'value.converter': json,
    'key.converter.schemas.enable': false,
    'value.converter.schemas.enable': false,
    'offset.storage.file.filename': join(folder, 'offsets'),
    'offset.flush.interval.ms': 1000,
  });
  const log = join(folder, 'worker.log');
  const child = java(
    jars,
    ['-Xms256m', '-Xmx1g'],
    ['org.apache.kafka.connect.cli.ConnectStandalone', properties],
    log,
  );
  const address = `http://${host}:${port}`;
  try {
    await eventually(
      'Kafka Connect answers',
      async () => (await fetch(`${address}/connectors`)).ok,
      patience,
    );
  } catch (error) {
    const said = await readFile(log, 'utf8').catch(() => '');
    await end(child, folder);
    throw new Error(`Kafka Connect did not start: ${said.slice(-2000)}`, { cause: error });
  }
  return { address, stop: () => end(child, folder) };
}

/** Creates a connector, or changes its state: `stop`, `resume`. */
export async function connector(
  { address }: Started,
  name: string,
  what: 'stop' | 'resume' | Readonly<Record<string, string>>,
): Promise<void> {
  const path = typeof what === 'string' ? what : 'config';
  const response = await fetch(`${address}/connectors/${name}/${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    ...(typeof what === 'string' ? {} : { body: JSON.stringify(what) }),
  });
  if (!response.ok)
    throw new Error(`${name}/${path} was answered ${response.status}: ${await response.text()}`);
  const wanted = what === 'stop' ? 'STOPPED' : 'RUNNING';
  await eventually(
    `${name} is ${wanted}`,
    async () => {
      const status = (await (await fetch(`${address}/connectors/${name}/status`)).json()) as ConnectorStatus;
      const failed = status.tasks.find(({ state }) => state === 'FAILED');
      if (failed !== undefined) throw new Error(failed.trace ?? 'the task failed');
      const tasks = wanted === 'RUNNING' ? status.tasks.some(({ state }) => state === wanted) : true;
      return status.connector.state === wanted && tasks;
    },
    patience,
  );
}

interface ConnectorStatus {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}

const patience = { withinMs: 90_000, everyMs: 100 };

function java(jars: string, options: readonly string[], main: readonly string[], log?: string): ChildProcess {
  const command = ['exec java "$@"', log === undefined ? '>/dev/null 2>&1' : `>'${log}' 2>&1`].join(' ');
  const child = spawn('/bin/sh', ['-c', command, 'sh', ...options, '-cp', join(jars, '*'), ...main], {
    stdio: 'ignore',
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  await endProcess(child, 'SIGKILL');
  await rm(folder, { recursive: true, force: true });
}

function writeProperties(
  file: string,
  properties: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  return writeFile(file, lines.join(''));
}
