import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@tidemark/testkit';
import { repository } from '../src/stack.ts';
import type { BrokerUnderTest, LaunchOptions } from './broker-under-test.ts';
import { freePorts } from './free-ports.ts';
import { brokerAnswers } from './protocol-probe.ts';

export interface EmbeddedOptions extends LaunchOptions {
  /** More arguments for `tidemark broker`. */
  readonly args?: readonly string[];
}

/** The embedded broker as people start it: `tidemark broker`, alone, with a folder of its own. */
export async function startEmbeddedBroker(options: EmbeddedOptions = {}): Promise<BrokerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-broker-'));
  const { clients, metrics } = await freePorts('clients', 'metrics');
  const args = [`--port=${clients}`, `--metrics-addr=127.0.0.1:${metrics}`, `--data=${join(folder, 'data')}`];
  const broker = spawn(join(repository, 'tidemark'), ['broker', ...args, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (broker.pid !== undefined) options.onLaunch?.({ pid: broker.pid, port: clients });
  const said = recordOutput(broker);
  const kill = () => broker.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (broker.exitCode === null && broker.signalCode === null) {
      const exited = once(broker, 'exit');
      broker.kill('SIGTERM');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually('the embedded broker answers', () => {
      if (broker.exitCode !== null)
        throw new Error(`tidemark broker ended with ${broker.exitCode}: ${said()}`);
      return brokerAnswers(clients);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: 'the embedded broker', bootstrap: `127.0.0.1:${clients}`, stop };
}

/** Keeps the end of what a program says. */
function recordOutput(program: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000);
  };
  program.stdout?.on('data', add);
  program.stderr?.on('data', add);
  return () => text;
}
