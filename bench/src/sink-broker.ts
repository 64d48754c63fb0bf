import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Admin } from '@platformatic/kafka';
import { createMessageSender } from '@tidemark/connectors';
import { freePort } from '@tidemark/embedded-postgres';
import { type IdOrder, reviewEvent, rowWithSchema } from './sink-events.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const partitions = 6;
const messagesPerSend = 2000;
const startTries = 100;

export interface BenchBroker {
  readonly brokers: readonly string[];
  stop(): Promise<void>;
}

/** The embedded broker as people start it, with its data in this folder. */
export async function startBenchBroker(folder: string): Promise<BenchBroker> {
  await mkdir(folder, { recursive: true });
  const port = await freePort('127.0.0.1');
  const metrics = await freePort('127.0.0.1');
  const child = spawn(
    process.execPath,
    [
      join(repository, 'apps/cli/src/main.ts'),
      'broker',
      `--port=${port}`,
      `--metrics-addr=127.0.0.1:${metrics}`,
      `--data=${join(folder, 'broker')}`,
    ],
    { stdio: ['pipe', 'ignore', 'inherit'], env: { ...process.env, TIDEMARK_STOP_WITH_PARENT: '1' } },
  );
  await untilReady(`http://127.0.0.1:${metrics}/readyz`);
  return {
    brokers: [`127.0.0.1:${port}`],
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilReady(url: string): Promise<void> {
  for (let attempt = 0; attempt < startTries; attempt += 1) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`the broker was not ready: ${url}`);
}

export interface Load {
  /** Number of the first event. */
  readonly first: number;
  readonly events: number;
  readonly ids: IdOrder;
  /** Rows with their schema, as Kafka Connect wants them, in place of events. */
  readonly withSchema?: boolean;
}

/** Fills a topic of six partitions with reviews. */
export async function loadTopic(
  brokers: readonly string[],
  topic: string,
  { first, events, ids, withSchema = false }: Load,
): Promise<void> {
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [...brokers] });
  await admin.createTopics({ topics: [{ topic, partitions, replicas: 1 }] });
  await admin.close();
  const sender = createMessageSender({ brokers, clientId: 'bench' });
  for (let sent = 0; sent < events; sent += messagesPerSend) {
    const count = Math.min(messagesPerSend, events - sent);
    await sender.send(
      Array.from({ length: count }, (_, index) => {
        const event = reviewEvent(first + sent + index, ids);
        return {
          topic,
          key: Buffer.from(event.key),
          value: Buffer.from(JSON.stringify(withSchema ? rowWithSchema(event) : event)),
        };
      }),
    );
  }
  await sender.close();
}
