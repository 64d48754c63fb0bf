import { spawn, spawnSync } from 'node:child_process';

/** Outcome of a program that ran to its end. */
export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Fed to the program's standard input. */
  readonly input?: string;
  /** The program is ended after this time, milliseconds. */
  readonly withinMs?: number;
}

/** Runs a program and collects what it says. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      timeout: options.withinMs ?? 120_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', code => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => {}); // a program that ends without reading its input is no failure
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a program that must succeed; answers its standard output. */
export async function runOk(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Folders where Debian puts programs that are not on everybody's PATH. */
const extraFolders = ['/usr/lib/postgresql/15/bin', '/usr/lib/postgresql/17/bin'];

/** Full path of a program, or undefined when this machine does not have it. */
export function findProgram(name: string): string | undefined {
  const path = [process.env['PATH'] ?? '', ...extraFolders].join(':');
  const found = spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], {
    env: { PATH: path },
    encoding: 'utf8',
  });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

/**
 * For tests that need a program of the machine: the reason to skip, said aloud on stderr, or false. A missing
 * program never looks like a passed test.
 */
export function skipWithout(...names: readonly string[]): string | false {
  const missing = names.filter(name => findProgram(name) === undefined);
  if (missing.length === 0) return false;
  const reason = `${missing.join(' and ')} not installed on this machine`;
  process.stderr.write(`\n  !! SKIPPED: ${reason}; .ci/run installs it\n\n`);
  return reason;
}
