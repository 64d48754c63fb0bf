import { spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly tookMs: number;
}

/** Runs a command to its end and measures it from outside. */
export function measure(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', code => resolve({ code, output, tookMs: performance.now() - begun }));
  });
}

/** As {@link measure}, for a command that must succeed. */
export async function measureOk(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const outcome = await measure(command, args, cwd);
  if (outcome.code !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${outcome.code}:\n${outcome.output}`);
  return outcome;
}
