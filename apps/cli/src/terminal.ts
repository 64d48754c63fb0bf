import { createInterface } from 'node:readline';

/** Where a command talks to the person in front of it. */
export interface Terminal {
  /** A line of the result, on stdout. */
  print(line?: string): void;
  /** A line that replaces itself while something is under way; only where the terminal can do that. */
  progress(line: string): void;
  /** A line about trouble, on stderr. */
  warn(line: string): void;
  /** Asks for a line. With `hidden` the answer is not shown. Undefined at the end of the input. */
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

export function processTerminal({ stdin, stdout, stderr, noColour }: TerminalStreams): Terminal {
  const live = stdout.isTTY;
  let shown = false;
  const clear = () => {
    if (!shown) return;
    stdout.write('\r\u001b[2K');
    shown = false;
  };
  return {
    style: live && !noColour ? coloured : plain,
    print(line = '') {
      clear();
      stdout.write(`${line}\n`);
    },
    progress(line) {
      if (!live) return;
      clear();
      stdout.write(line.slice(0, (stdout.columns || 80) - 1));
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
  const lines = createInterface({ input: stdin, output: stdout, terminal: stdin.isTTY });
  if (stdin.isTTY) {
    stdout.write(question);
    // readline echoes what is typed by writing to the output; a hidden answer is not echoed.
    if (hidden) Object.assign(lines, { _writeToOutput: () => {} });
  }
  try {
    return await new Promise<string | undefined>(resolve => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
    if (hidden && stdin.isTTY) stdout.write('\n');
  }
}
