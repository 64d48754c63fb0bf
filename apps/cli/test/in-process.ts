import { runCli } from '../src/cli.ts';
import type { Terminal } from '../src/terminal.ts';
import type { Outcome } from './tidemark.ts';

interface Answers {
  readonly env?: Readonly<Record<string, string>>;
  /** What the person types when asked. */
  readonly typed?: string;
  readonly interrupted?: AbortSignal;
  /** Called with every line of the result. */
  readonly onLine?: (line: string) => void;
}

const same = (text: string) => text;

/** Runs a command in this process: much quicker, and enough where neither signals nor streams matter. */
export async function tidemarkHere(args: readonly string[], answers: Answers = {}): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const terminal: Terminal = {
    print(line = '') {
      stdout += `${line}\n`;
      answers.onLine?.(line);
    },
    progress: () => {},
    warn: line => void (stderr += `${line}\n`),
    ask: () => Promise.resolve(answers.typed),
    style: { bold: same, dim: same, green: same, yellow: same, red: same },
  };
  const code = await runCli(args, {
    terminal,
    env: answers.env ?? {},
    interrupted: answers.interrupted ?? new AbortController().signal,
    impatient: new AbortController().signal,
  });
  return { code, signal: null, stdout, stderr };
}
