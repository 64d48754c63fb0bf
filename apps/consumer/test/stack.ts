import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Admin } from '@platformatic/kafka';
import { type RunningBroker, startBroker } from '@tidemark/broker';
import {
  createMessageSender,
  ensureTopics,
  type KafkaConnection,
  type MessageSender,
} from '@tidemark/connectors';
import { topics } from '@tidemark/contracts';
import { eventually, freePort, startPostgres, type TestPostgres } from '@tidemark/testkit';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A consumer as a process of its own, so that it can be killed. */
export interface ConsumerProcess {
  /** What it has written to stdout. */
  output(): string;
  get(path: string): Promise<Response>;
  post(path: string): Promise<Response>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves with the exit code. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** A broker, a database, and consumers over them. */
export interface Stack {
  readonly postgres: TestPostgres;
  readonly connection: KafkaConnection;
  readonly sender: MessageSender;
  startConsumer(env?: Readonly<Record<string, string>>): Promise<ConsumerProcess>;
  /** Stops the broker for a moment; it comes back with the same data on the same port. */
  restartBroker(): Promise<void>;
  /** Cuts the log of a partition, as retention does. */
  deleteRecordsBelow(topic: string, partition: number, offset: bigint): Promise<void>;
  stop(): Promise<void>;
}

export async function startStack(): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-consumer-'));
  const postgres = await startPostgres({ migrated: true });
  const options = {
    dataDir: join(folder, 'broker'),
    groups: { initialRebalanceDelayMs: 0, sessionTimeoutMsMin: 500 },
  };
  // One that no outgoing connection can be given while the broker is away.
  let broker: RunningBroker = await startBroker({ ...options, port: await freePort('127.0.0.1') });
  const brokerPort = broker.port;
  const connection = { brokers: [`127.0.0.1:${brokerPort}`], clientId: 'test' };
  await ensureTopics(connection, Object.values(topics));
  const sender = createMessageSender(connection);
  const consumers = new Set<ChildProcess>();

  const startConsumer = async (env: Readonly<Record<string, string>> = {}): Promise<ConsumerProcess> => {
    const child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        METRICS_ADDR: '127.0.0.1:0',
        KAFKA_BROKERS: connection.brokers.join(','),
        DATABASE_URL: postgres.url,
        SESSION_TIMEOUT: '2s',
        RETRY_BASE: '20ms',
        RETRY_CAP: '200ms',
        ...env,
      },
    });
    consumers.add(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const port = await eventually(
      'the consumer is started',
      () => /"port":(\d+).*"message":"consumer started"/.exec(output)?.[1],
    );
    return {
      output: () => output,
      get: path => fetch(`http://127.0.0.1:${port}${path}`),
      post: path => fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' }),
      signal: signal => void child.kill(signal),
      async kill(signal) {
        consumers.delete(child);
        const exited = once(child, 'exit') as Promise<[number | null]>;
        child.kill(signal);
        return (await exited)[0];
      },
    };
  };

  return {
    postgres,
    connection,
    sender,
    startConsumer,
    async restartBroker() {
      await broker.stop();
      broker = await startBroker({ ...options, port: brokerPort });
    },
    async deleteRecordsBelow(topic, partition, offset) {
      const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...connection.brokers] });
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset }] }] });
      await admin.close();
    },
    async stop() {
      for (const child of consumers) child.kill('SIGKILL');
      await sender.close();
      await broker.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
