import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embeddedUser, prepareCluster } from '@tidemark/embedded-postgres';
import { TidemarkError } from '@tidemark/kernel';
import type { Launch, ServiceStep, Step, TaskStep } from '../supervisor/step.ts';
import { type Addresses, addressesOf, loopback, type PortName } from './addresses.ts';
import { captureSecret } from './capture-secret.ts';
import { buildConsole } from './console-build.ts';
import { prepareSchema, probeDatabase } from './database.ts';
import type { StackOptions } from './stack-options.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** Names that `--only` takes. */
export const serviceNames = [
  'postgres',
  'broker',
  'api',
  'capture',
  'consumer',
  'producer',
  'console',
] as const;

/** The steps of a stack, from an empty folder to a running whole. */
export function stackSteps(options: StackOptions): readonly Step[] {
  const addresses = addressesOf(options.portOffset, options.env);
  const externalDatabase = Boolean(options.env['DATABASE_URL']);
  const externalBroker = Boolean(options.env['KAFKA_BROKERS']);
  const app = appSteps(options, addresses);
  const steps: Step[] = [
    ...(externalDatabase ? [] : [postgresStep(options, addresses)]),
    ...(externalBroker ? [] : [brokerStep(options, addresses)]),
    schemaTask(addresses, !externalDatabase),
    consoleBuildTask(),
    app('api', 'api', ['schema'], {
      API_ADDR: addresses.listen('api'),
      CAPTURE_URL: addresses.http('capture'),
      CONSUMER_URL: addresses.http('consumer'),
      PRODUCER_URL: addresses.http('producer'),
      BROKER_METRICS_URL: addresses.http('brokerOps'),
    }),
    app(
      'capture',
      'capture',
      ['schema', 'broker'],
      {
        CAPTURE_ADDR: addresses.listen('capture'),
        CAPTURE_DATA_DIR: join(options.folder.run, 'capture'),
        ...captureSource(options),
      },
      () => sealing(options, externalDatabase),
    ),
    app('consumer', 'consumer', ['schema', 'broker'], { METRICS_ADDR: addresses.listen('consumer') }),
    app('producer', 'producer', ['broker'], { PRODUCER_ADDR: addresses.listen('producer') }),
    app('console', 'console', ['api', 'console build'], {
      CONSOLE_ADDR: addresses.listen('console'),
      API_URL: addresses.http('api'),
    }),
  ];
  return options.only ? withNeeds(steps, options.only) : steps;
}

/** The wanted steps and, transitively, what they need. */
function withNeeds(steps: readonly Step[], wanted: readonly string[]): readonly Step[] {
  const unknown = wanted.filter(name => !(serviceNames as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new TidemarkError('SERVICE_UNKNOWN', `there is no service ${unknown.join(', ')}`, {
      hint: `Choose among ${serviceNames.join(', ')}.`,
    });
  }
  const chosen = new Set<string>();
  const choose = (name: string) => {
    if (chosen.has(name)) return;
    chosen.add(name);
    for (const need of steps.find(step => step.name === name)?.needs ?? []) choose(need);
  };
  for (const name of wanted) choose(name);
  return steps.filter(step => chosen.has(step.name));
}

function postgresStep({ folder }: StackOptions, addresses: Addresses): ServiceStep {
  return {
    kind: 'service',
    name: 'postgres',
    needs: [],
    ports: [addresses.port('postgres')],
    address: addresses.databaseUrl,
    stopSignal: 'SIGINT', // a fast shutdown: sessions are ended, a checkpoint is written
    async prepare(): Promise<Launch> {
      const cluster = {
        dataDir: folder.postgres,
        host: loopback,
        port: addresses.port('postgres'),
        ...embeddedUser,
      };
      const { command, args, cwd, user } = await prepareCluster(cluster);
      // PostgreSQL needs nothing of our environment, and PG* variables in it would mislead it.
      return { command, args, cwd, user, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } };
    },
    probe: () => probeDatabase(addresses.databaseUrl),
  };
}

function schemaTask(addresses: Addresses, embedded: boolean): TaskStep {
  return {
    kind: 'task',
    name: 'schema',
    needs: ['postgres'],
    run: () => prepareSchema({ databaseUrl: addresses.databaseUrl, embedded }),
  };
}

function consoleBuildTask(): TaskStep {
  return { kind: 'task', name: 'console build', needs: [], run: signal => buildConsole(repository, signal) };
}

function brokerStep(options: StackOptions, addresses: Addresses): ServiceStep {
  const args = [
    'broker',
    `--host=${loopback}`,
    `--port=${addresses.port('broker')}`,
    `--data=${options.folder.broker}`,
    `--metrics-addr=${addresses.listen('brokerOps')}`,
  ];
  return nodeService(options, {
    name: 'broker',
    needs: [],
    entry: 'apps/cli/src/main.ts',
    args,
    ports: [addresses.port('broker'), addresses.port('brokerOps')],
    address: `${loopback}:${addresses.port('broker')}`,
    opsUrl: addresses.http('brokerOps'),
    env: {},
  });
}

function appSteps(options: StackOptions, addresses: Addresses) {
  return (
    name: string,
    port: PortName,
    needs: readonly string[],
    env: Record<string, string>,
    secrets?: () => Promise<Record<string, string>>,
  ): ServiceStep =>
    nodeService(options, {
      ...(secrets === undefined ? {} : { secrets }),
      name,
      needs,
      entry: `apps/${name}/src/main.ts`,
      args: [],
      ports: [addresses.port(port)],
      address: addresses.browse(port),
      opsUrl: addresses.http(port),
      env: { DATABASE_URL: addresses.databaseUrl, KAFKA_BROKERS: addresses.brokers, ...env },
    });
}

function captureSource({ source }: StackOptions): Record<string, string> {
  return source === undefined ? {} : { CAPTURE_SOURCE_URL: source };
}

/** The embedded database lives and dies with its folder, so the secret can stand beside it. */
async function sealing(
  { folder, env }: StackOptions,
  externalDatabase: boolean,
): Promise<Record<string, string>> {
  if (externalDatabase || env['CAPTURE_SECRET']) return {};
  return { CAPTURE_SECRET: await captureSecret(folder.captureSecret) };
}

/**
 * Young generation of V8 in the services, MiB for each half. With the default of 16 every service keeps some 40 MB
 * of garbage from its own start; with 4 the idle stack fits a laptop, and collections stay under a millisecond.
 */
const semiSpaceMib = 4;

interface NodeService {
  readonly name: string;
  readonly needs: readonly string[];
  /** Entry file below the repository. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly ports: readonly number[];
  readonly address: string;
  /** Where `/readyz` is asked. */
  readonly opsUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** More of its environment, looked up when it is started. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
}

function nodeService({ folder, env }: StackOptions, service: NodeService): ServiceStep {
  return {
    kind: 'service',
    name: service.name,
    needs: service.needs,
    ports: service.ports,
    address: service.address,
    stopSignal: 'SIGTERM',
    prepare: async () => ({
      command: process.execPath,
      args: [`--max-semi-space-size=${semiSpaceMib}`, `${repository}${service.entry}`, ...service.args],
      cwd: folder.root,
      env: {
        ...env,
        ...service.env,
        ...(await service.secrets?.()),
        TIDEMARK_STOP_WITH_PARENT: '1',
        NODE_COMPILE_CACHE: folder.codeCache,
        NODE_ENV: 'production',
      },
    }),
    probe: signal => probeReady(service.opsUrl, signal),
  };
}

/** Asks a service whether it and what it depends on are ready; rejects with what is missing. */
export async function probeReady(opsUrl: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${opsUrl}/readyz`, { signal });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`not ready: ${body.slice(0, 200)}`);
}
