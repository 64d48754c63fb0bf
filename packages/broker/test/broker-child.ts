import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface ChildMessage {
  readonly kind: 'ready' | 'warning' | 'error';
  readonly port?: number;
  readonly message?: string;
  readonly facts?: string;
}

/** A broker that can be killed. */
export interface BrokerChild {
  readonly address: string;
  readonly messages: readonly ChildMessage[];
  /** Ends it as a crash would: no chance to write anything down. */
  kill(): Promise<void>;
}

/** Forks a broker over the folder and waits until it accepts clients. */
export async function forkBroker(
  folder: string,
  fsync = 'os',
  segmentBytes = 67_108_864,
): Promise<BrokerChild> {
  const script = fileURLToPath(new URL('./broker-process.ts', import.meta.url));
  const child = fork(script, [folder, fsync, String(segmentBytes)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const messages: ChildMessage[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.on('message', (message: ChildMessage) => {
      messages.push(message);
      if (message.port !== undefined) resolve(message.port);
    });
    child.once('exit', code => reject(new Error(`the broker ended with ${code} before it was ready`)));
  });
  return { address: `127.0.0.1:${port}`, messages, kill: () => killed(child) };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
