import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

/** Where a command talks to the person in front of it. */
export interface Terminal {
  /** A line of the result, on stdout. */
  print(line?: string): void;
  /** A line, shown dim, that replaces itself while something is under way; only where the terminal can do that. */
  progress(line: string): void;
  /** A line about trouble, on stderr. */
  warn(line: string): void;
  /** Asks for a line; what is piped in is one answer. With `hidden` the answer is not shown. Undefined at the end of the input. */
  ask(question: string, options?: { readonly hidden?: boolean }): Promise<string | undefined>;
  readonly style: Style;
}

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

/** The streams of a process, as far as a terminal needs them. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly noColour: boolean;
  /** The terminal cannot move its cursor. */
  readonly dumb: boolean;
}

const plain: Style = {
  bold: text => text,
  dim: text => text,
  green: text => text,
  yellow: text => text,
  red: text => text,
};

const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const coloured: Style = { bold: sgr(1), dim: sgr(2), green: sgr(32), yellow: sgr(33), red: sgr(31) };

export function processTerminal({ stdin, stdout, stderr, noColour, dumb }: TerminalStreams): Terminal {
  const live = stdout.isTTY && !dumb;
  const style = live && !noColour ? coloured : plain;
  let shown = false;
  const clear = () => {
    if (!shown) return;
    stdout.write('\r\u001b[2K');
    shown = false;
  };
  return {
    style,
    print(line = '') {
      clear();
      stdout.write(`${line}\n`);
    },
    progress(line) {
      if (!live) return;
      clear();
      stdout.write(style.dim(line.slice(0, (stdout.columns || 80) - 1)));
      shown = true;
    },
    warn(line) {
      clear();
      stderr.write(`${line}\n`);
    },
    ask: (question, options) => ask({ stdin, stdout }, question, options?.hidden ?? false),
  };
}

async function ask(
  { stdin, stdout }: Pick<TerminalStreams, 'stdin' | 'stdout'>,
  question: string,
  hidden: boolean,
): Promise<string | undefined> {
  if (stdin.readableEnded) return undefined; // readline would wait for an end that has been
  if (!stdin.isTTY) return firstLine(createInterface({ input: stdin }));
  // readline echoes what is typed to its output; a hidden answer is echoed to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = hidden ? nowhere : stdout;
  const lines = createInterface({ input: stdin, output, terminal: true, prompt: '' });
  // Asked only now that the terminal has stopped echoing by itself: some people type, or paste, at once.
  stdout.write(question);
  const answer = await firstLine(lines);
  if (hidden || answer === undefined) stdout.write('\n');
  return answer;
}

async function firstLine(lines: Interface): Promise<string | undefined> {
  try {
    return await new Promise<string | undefined>(resolve => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
      lines.once('SIGINT', () => resolve(undefined)); // while readline reads keys, Ctrl-C is one of them
    });
  } finally {
    lines.close();
  }
}
