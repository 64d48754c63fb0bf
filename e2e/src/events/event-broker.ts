import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '@tidemark/embedded-postgres';
import { Restartable } from './restartable.ts';

/** A broker that a scenario takes away from under its clients. It keeps its address and its data. */
export interface EventBroker {
  readonly bootstrap: string;
  /** Ends the process with this signal and starts it again. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

/** Least session timeout that the brokers of the scenarios grant: with Kafka's 6 s each fault would cost 6 s of waiting. */
export const sessionTimeoutMsMin = 500;

const main = fileURLToPath(new URL('./embedded-broker-main.ts', import.meta.url));

/** The embedded broker as a process of its own. */
export async function startEmbeddedEventBroker(): Promise<EventBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-events-'));
  const port = await freePort('127.0.0.1');
  const broker = new Restartable(() => launch([String(port), join(folder, 'broker')]));
  const stop = async () => {
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await broker.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { bootstrap: `127.0.0.1:${port}`, restart: signal => broker.restart(signal), stop };
}

/** Resolves once the broker says that it is up. */
async function launch(args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).once('line', () => said.resolve());
  child.once('error', said.reject);
  child.once('exit', code => said.reject(new Error(`the embedded broker ended with ${code}`)));
  await said.promise;
  return child;
}
