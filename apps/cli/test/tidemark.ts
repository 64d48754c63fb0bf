import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from '@tidemark/testkit';
import { fixture } from './stand-in-service.ts';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that was started as a process, as people do. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has written to stdout so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until stdout holds the text. */
  says(text: string): Promise<void>;
  readonly outcome: Promise<Outcome>;
}

interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Entry script; the command itself unless given. */
  readonly entry?: string;
  /** Text for its stdin, which then ends. */
  readonly input?: string;
}

export const mainScript = fileURLToPath(new URL('../src/main.ts', import.meta.url));
export const standInStack = fixture('stand-in-stack.ts');

export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { DATABASE_URL: _database, KAFKA_BROKERS: _brokers, ...inherited } = process.env;
  const child = spawn(process.execPath, [options.entry ?? mainScript, ...args], {
    env: { ...inherited, ...options.env },
    cwd: options.cwd,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => {});
  if (options.input !== undefined) child.stdin.end(options.input);
  const outcome = new Promise<Outcome>(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    says: async text => {
      await eventually(`"${text}" in: ${stdout}${stderr}`, () => stdout.includes(text));
    },
    outcome,
  };
}

export function tidemark(args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  return startCommand(args, options).outcome;
}
