import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Available, available, cached, download } from '@tidemark/e2e/outside';
import { freePort } from '@tidemark/embedded-postgres';

/** Kafka Connect with the Debezium JDBC sink, on this machine. */
export interface ConnectDistribution {
  readonly folder: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Fetches both from Maven Central, once. */
export function connectDistribution(): Promise<Available<ConnectDistribution>> {
  return available('Kafka Connect with the Debezium JDBC sink', ['java', 'mvn', 'tar'], async () => {
    const pom = fileURLToPath(new URL('../peers/pom.xml', import.meta.url));
    const versionOf = async (name: string) =>
      new RegExp(`<${name}\\.version>([^<]+)<`).exec(await readFile(pom, 'utf8'))?.[1] ?? 'unknown';
    const folder = await cached('connect-peers', pom, async target => {
      await download('mvn', [
        '--batch-mode',
        '--quiet',
        '--file',
        pom,
        'org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${target}`,
      ]);
      const archive = (await readdir(target)).find(name => name.endsWith('-plugin.tar.gz')) ?? '';
      // Apart from the worker's own jars: each of them would be loaded as one more plugin.
      await mkdir(join(target, 'plugins'));
      execFileSync('tar', ['xzf', join(target, archive), '-C', join(target, 'plugins')]);
    });
    const java = execFileSync('java', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
    const versions = { connect: await versionOf('kafka'), debezium: await versionOf('debezium'), java };
    return { folder, versions };
  });
}

export interface ConnectTask {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly databaseUrl: string;
  readonly group: string;
  /** Settings of the connector beside those that every run has. */
  readonly settings: Readonly<Record<string, string>>;
  /** Options of the JVM. */
  readonly jvm: readonly string[];
}

/** Starts a standalone worker with one connector, its files in `folder`. */
export async function startConnect(
  { folder: jars }: ConnectDistribution,
  folder: string,
  task: ConnectTask,
): Promise<ChildProcess> {
  const worker = join(folder, `${task.group}-worker.properties`);
  const connector = join(folder, `${task.group}-connector.properties`);
  await writeFile(
    worker,
    properties({
      'bootstrap.servers': task.brokers.join(','),
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'true',
      'offset.storage.file.filename': join(folder, `${task.group}.offsets`),
      'plugin.path': join(jars, 'plugins'),
      'plugin.discovery': 'service_load',
      listeners: `http://127.0.0.1:${await freePort('127.0.0.1')}`,
    }),
  );
  await writeFile(connector, properties(connectorSettings(task)));
  const log = await open(join(folder, `${task.group}.log`), 'a');
  const args = [
    ...task.jvm,
    '-cp',
    join(jars, '*'),
    'org.apache.kafka.connect.cli.ConnectStandalone',
    worker,
    connector,
  ];
  const child = spawn('java', args, { stdio: ['ignore', log.fd, log.fd] });
  await log.close();
  return child;
}

function connectorSettings({ topic, databaseUrl, group, settings }: ConnectTask): Record<string, string> {
  const url = new URL(databaseUrl);
  return {
    name: group,
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    topics: topic,
    'connection.url': `jdbc:postgresql://${url.host}${url.pathname}`,
    'connection.username': url.username,
    'connection.password': url.password,
    'insert.mode': 'upsert',
    'primary.key.mode': 'record_value',
    'primary.key.fields': 'review_id',
    'schema.evolution': 'none',
    'collection.name.format': 'reviews',
    'consumer.override.auto.offset.reset': 'earliest',
    ...settings,
  };
}

function properties(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
