import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '@tidemark/testkit';
import { repository } from '../stack.ts';

/** A consumer as a process of its own, to be killed, stopped and woken up. */
export interface ConsumerProcess {
  /** What it has written so far. */
  output(): string;
  get(path: string): Promise<Response>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves with the exit code once it ended. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a consumer and resolves once it serves; it joins its groups after that. */
export async function startConsumer(env: Readonly<Record<string, string>>): Promise<ConsumerProcess> {
  const child = spawn(process.execPath, [join(repository, 'apps/consumer/src/main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { METRICS_ADDR: '127.0.0.1:0', ...env },
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const port = await eventually('the consumer is started', () => {
    if (child.exitCode !== null) throw new Error(`the consumer ended with ${child.exitCode}:\n${output}`);
    return /"port":(\d+).*"message":"consumer started"/.exec(output)?.[1];
  });
  return {
    output: () => output,
    get: path => fetch(`http://127.0.0.1:${port}${path}`),
    signal: signal => void child.kill(signal),
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      process.off('exit', kill);
      return code;
    },
  };
}
