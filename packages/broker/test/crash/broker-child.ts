import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FsyncPolicy } from '../../src/index.ts';
import type { KillPlan } from './kill-points.ts';

/** What the broker's process is told. */
export interface ProcessPlan {
  readonly folder: string;
  readonly fsync: FsyncPolicy;
  readonly segmentBytes: number;
  /** Where the process ends itself, besides being killed from outside. */
  readonly kill?: KillPlan;
}

interface ChildMessage {
  readonly kind: 'ready' | 'warning' | 'error';
  readonly port?: number;
  readonly message?: string;
  readonly facts?: string;
}

/** Node keeps compiled code here: hundreds of brokers start three times as fast. */
const compileCache = join(tmpdir(), 'tidemark-compile-cache');

/** A broker that can be killed. */
export interface BrokerChild {
  readonly address: string;
  readonly messages: readonly ChildMessage[];
  /** Resolves when the process is gone, whoever ended it. */
  readonly died: Promise<void>;
  /** Ends it as a crash would: no chance to write anything down. */
  kill(): Promise<void>;
}

/** Forks a broker over the folder and waits until it accepts clients. Null when its plan killed it before that. */
export async function forkBroker(plan: ProcessPlan): Promise<BrokerChild | null> {
  const script = fileURLToPath(new URL('./broker-process.ts', import.meta.url));
  const child = fork(script, [JSON.stringify(plan)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  const died = once(child, 'exit').then(() => {});
  const messages: ChildMessage[] = [];
  const port = await new Promise<number | null>((resolve, reject) => {
    child.on('message', (message: ChildMessage) => {
      messages.push(message);
      if (message.port !== undefined) resolve(message.port);
    });
    child.once('exit', (code, signal) => {
      if (plan.kill && signal === 'SIGKILL') resolve(null);
      else reject(new Error(`the broker ended with ${signal ?? code} before it was ready`));
    });
  });
  if (port === null) return null;
  return { address: `127.0.0.1:${port}`, messages, died, kill: () => killed(child, died) };
}

/** A broker that nothing but the test kills. */
export async function forkSurvivor(plan: Omit<ProcessPlan, 'kill'>): Promise<BrokerChild> {
  const broker = await forkBroker(plan);
  if (!broker) throw new Error('a broker without a plan to die is dead');
  return broker;
}

async function killed(child: ChildProcess, died: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await died;
}
